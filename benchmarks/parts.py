"""Parts of a folder of labelled fish, each grouped afresh: what is chosen by all of it alone, is chosen by chance.

Halves of the trajectories, sets of twelve species, and one species that is most of what there is. The draws are
seeded and the same for every recipe. Labels draw the parts and enter the scores; no recipe sees them.
"""

from collections.abc import Iterator

import numpy as np
import polars as pl

from megafish_assets.features.pooling import unit_codes

HALVINGS, SPECIES_DRAWS, DRAWN_SPECIES, DOMINANT = 3, 4, 12, 2
DOMINANT_SHARE = 0.6
"""Of the trajectories, that of the one species."""


def parts(index: pl.DataFrame, seed: int) -> Iterator[tuple[str, np.ndarray]]:
    """A name, and the rows of `index` (`species`, `trajectory`) in it; whole trajectories. A folder of too few species
    or trajectories gives those parts that it allows."""
    rng = np.random.default_rng(seed)
    species, units = index["species"].to_numpy(), unit_codes(index["trajectory"].to_numpy())
    n_units, names = int(units.max()) + 1, np.unique(species)
    for number in range(HALVINGS if n_units > 1 else 0):
        order = rng.permutation(n_units)
        for side, chosen in enumerate((order[: n_units // 2], order[n_units // 2 :])):
            yield f"half {number}.{side}", np.flatnonzero(np.isin(units, chosen))
    for number in range(SPECIES_DRAWS if len(names) > DRAWN_SPECIES else 0):
        yield f"twelve species {number}", np.flatnonzero(np.isin(species, rng.choice(names, DRAWN_SPECIES, False)))
    counts = {name: len(np.unique(units[species == name])) for name in names}
    for name in sorted(counts, key=lambda name: (-counts[name], name))[:DOMINANT]:
        own, rest = np.unique(units[species == name]), np.unique(units[species != name])
        n_rest = min(len(rest), round(len(own) * (1 / DOMINANT_SHARE - 1)))
        chosen = np.concatenate([own, rng.choice(rest, n_rest, replace=False)])
        yield f"mostly {name}", np.flatnonzero(np.isin(units, chosen))


def summary(lines: list[dict]) -> Iterator[dict]:
    """A line a recipe, over lines with `part`, `recipe` and `species_ami`: the mean and the worst part, and the parts
    in which it is below the recipe `notebook`."""
    table = pl.DataFrame([{name: line[name] for name in ("part", "recipe", "species_ami")} for line in lines])
    baseline = table.filter(recipe="notebook").select("part", baseline="species_ami")
    for name in table["recipe"].unique(maintain_order=True):
        scores = table.filter(recipe=name).join(baseline, on="part")
        worst = scores.sort("species_ami").row(0, named=True)
        below = scores.filter(pl.col("species_ami") < pl.col("baseline"))["part"].to_list()
        yield {
            "recipe": name,
            "n_parts": scores.height,
            "mean_species_ami": round(scores["species_ami"].mean(), 4),
            "worst_species_ami": worst["species_ami"],
            "worst_part": worst["part"],
            "parts_below_notebook": below,
        }
