"""How far kinds keep their identity while videos are added: a line a step, and one of each species that comes late.

Of a materialised demo, whose stored vectors are whitened and grouped afresh at each step. The truth enters the scores
only.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from benchmarks.quality import REEF_BACKBONE, UnusableIndexError
from megafish_assets.clusters.kind_fits import KindFits
from megafish_assets.clusters.kinds import pairs
from megafish_assets.clusters.measures import kept_shares, kind_numbers
from megafish_assets.clusters.recipes import DEFAULT, run_recipe
from megafish_assets.clusters.tables import clusters_table
from megafish_assets.embeddings.tables import batch_of
from megafish_assets.features.crop_rows import CropRows, borders_of, tracklets_of, videos_of
from megafish_assets.reef.truth import kinds
from megafish_assets.storage.catalog import named

N_STEPS = 3
"""The videos are added in as many equal steps; and, as nights, the last ones one by one."""

ORDERS = 5
"""In which the videos come: as they were recorded, and drawn."""

FIRST_NIGHT = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Reef:
    """The crops of a demo, row for row."""

    detection_ids: np.ndarray
    """str `(n,)`."""
    crops: CropRows
    """Their tracklets, videos, vectors as `features`, and true kinds as `species`."""
    borders: np.ndarray
    """float32 `(n, N_BORDER)`."""
    fish: frozenset[str]
    """The true kinds that are species."""

    @classmethod
    def at(cls, root: Path) -> "Reef":
        """Raises UnusableIndexError for a folder that is no materialised demo."""
        if not (root / "tables").is_dir() or not (root / "truth").is_dir():
            raise UnusableIndexError(f"{root} holds no tables with their truth: make demo")
        places = "crops/crops", "detections/raw_detections", f"embeddings/{named('embeddings', REEF_BACKBONE)}"
        cut, raw, embedded = (pl.scan_delta(str(root / "tables" / place)) for place in places)
        batch, truth = batch_of(embedded.collect(), "cpu"), pl.read_delta(str(root / "truth"))
        ids = batch.detection_ids.astype(str)
        known = dict(kinds(raw.collect(), truth).select("detection_id", "kind").iter_rows())
        shown = np.array([known[one] for one in ids], dtype=object)
        crops = CropRows(tracklets_of(ids, cut), videos_of(ids), batch.on_cpu(), species=shown)
        return cls(ids, crops, borders_of(ids, cut), frozenset(truth["species"].drop_nulls()))

    def clusters(self, rows: np.ndarray) -> pl.DataFrame:
        """The columns `CLUSTERS` of some rows, whitened and grouped by themselves."""
        part = self.crops.of(rows)
        found = run_recipe(DEFAULT, part.features, part.tracklets, self.borders[rows], part.videos)
        return clusters_table(self.detection_ids[rows], part.tracklets, found, DEFAULT)

    def truth(self) -> pl.DataFrame:
        """`unit_id` and `true_kind`, that of most of its crops, of equal ones the first by name."""
        rows = {"unit_id": pl.Series(self.crops.tracklets, dtype=pl.String), "detection_id": self.detection_ids}
        table = pl.DataFrame(rows | {"true_kind": pl.Series(self.crops.species, dtype=pl.String)})
        units = table.with_columns(pl.coalesce("unit_id", "detection_id").alias("unit_id"))
        return units.group_by("unit_id").agg(pl.col("true_kind").mode().sort().first())


def names_of(fits: KindFits, truth: pl.DataFrame, known: dict[int, str]) -> dict[int, str]:
    """What people call each kind who named it when it was born, after most of its tracklets.

    A part that was split from a kind keeps its name: `kind_events` says from which.
    """
    shown = fits.latest.drop_nulls("kind_id").join(truth, on="unit_id")
    most = dict(shown.group_by("kind_id").agg(pl.col("true_kind").mode().sort().first()).iter_rows())
    parts = fits.last_events.filter(event="split").select("kind_id", "from_kind_id")
    inherited = {kind: known[parent] for kind, parent in parts.iter_rows() if parent in known}
    return most | inherited | known


def kept_names(before: pl.DataFrame, now: pl.DataFrame, truth: pl.DataFrame, names: dict, after: dict) -> float | None:
    """Of tracklets of one fit whose kind had their true kind's name, the share that has it in the next one too."""
    both = before.join(now.select("unit_id", pl.col("kind_id").alias("kind_now")), on="unit_id")
    both = both.join(truth, on="unit_id")
    rows = both.select("true_kind", "kind_id", "kind_now").rows()
    right = [(true, now_kind) for true, kind, now_kind in rows if names.get(kind) == true]
    return float(np.mean([after.get(kind) == true for true, kind in right])) if right else None


def most_kept(before: pl.DataFrame, clusters: pl.DataFrame, n_units: int) -> float | None:
    """The share that keeps its kind under the numbering of these clusters that keeps the most."""
    from scipy.optimize import linear_sum_assignment

    known = pairs(before, clusters)
    if not n_units or known.is_empty():
        return None
    table = known.pivot("cluster", index="kind_id", values="n_shared").fill_null(0).drop("kind_id").to_numpy()
    return float(table[linear_sum_assignment(table, maximize=True)].sum() / n_units)


def grown(reef: Reef, parts: Sequence[np.ndarray]) -> Iterator[tuple[KindFits, dict]]:
    """Every step over growing rows of the reef: the fits so far, and the line of the last one."""
    fits, truth, names = KindFits.stored(None, None), reef.truth(), {}
    for step, rows in enumerate(parts):
        clusters = reef.clusters(rows)
        before, fits = fits.latest, fits.with_fit(clusters, FIRST_NIGHT + timedelta(days=step))
        after = names_of(fits, truth, names)
        of_fish = truth.filter(pl.col("true_kind").is_in(list(reef.fish)))
        shared = before.drop_nulls("kind_id").join(fits.latest, on="unit_id", how="semi")
        numbers = kind_numbers(fits, clusters)
        line = {
            "n_videos": len(np.unique(reef.crops.videos[rows])),
            "n_shared_tracklets": shared.height,
            "kept_kind_share": numbers["kept_kind_share"],
            "most_kept_share": most_kept(before, fits.latest, shared.height),
            "kept_kind_share_of_fish": kept_shares(before.join(of_fish, on="unit_id"), fits.latest)["kept_kind_share"],
            "kept_name_share": kept_names(before, fits.latest, truth, names, after),
        }
        line |= {name: numbers[name] for name in ("n_kinds", "n_continued", "n_born", "n_split", "n_merged", "n_gone")}
        names = after
        yield fits, {name: round(value, 4) if isinstance(value, float) else value for name, value in line.items()}


def late(reef: Reef, species: str, parts: Sequence[np.ndarray]) -> dict:
    """The line of a species that is withheld until the last step: how many kinds of it are born then.

    A kind is of the species that most of its tracklets show.
    """
    there = reef.crops.species != species
    *_, (fits, _) = grown(reef, [*(rows & there for rows in parts[:-1]), parts[-1]])
    shown = fits.latest.join(reef.truth(), on="unit_id")
    most = shown.drop_nulls("kind_id").group_by("kind_id").agg(pl.col("true_kind").mode().sort().first(), pl.len())
    of_species = most.filter(true_kind=species).join(fits.last_events.filter(pl.col("event") != "merged"), on="kind_id")
    its_kinds = shown.filter(true_kind=species)["kind_id"]
    events = of_species["event"]
    born = of_species.filter(event="born")["kind_id"]
    return {
        "withheld": species,
        "n_tracklets": len(its_kinds),
        "n_born": len(born),
        "n_of_older_kinds": int((events != "born").sum()),
        "in_born_share": round(its_kinds.is_in(born.implode()).fill_null(False).mean(), 4),
        "in_largest_share": round((its_kinds == its_kinds.drop_nulls().mode().min()).fill_null(False).mean(), 4),
    }


def of_the_reef(root: Path, n_orders: int = ORDERS) -> Iterator[dict]:
    """Lines of steps, of nights, and of late species. Raises UnusableIndexError."""
    reef = Reef.at(root)
    videos = np.unique(reef.crops.videos)
    orders = [videos, *(np.random.default_rng(seed).permutation(videos) for seed in range(1, n_orders))]
    steps = [round(len(videos) * step / N_STEPS) for step in range(1, N_STEPS + 1)]
    nights = range(len(videos) - N_STEPS + 1, len(videos) + 1)
    for name, sizes in (("steps", steps), ("nights", nights)):
        for number, order in enumerate(orders):
            for place, (_, line) in enumerate(grown(reef, [np.isin(reef.crops.videos, order[:n]) for n in sizes])):
                if place:
                    yield {"case": name, "order": number} | line
    for species in sorted(reef.fish & set(reef.crops.species)):
        yield {"case": "late"} | late(reef, species, [np.isin(reef.crops.videos, videos[:n]) for n in steps])
