"""How much the detector misses, by what people saw in frames drawn at random: its recall and precision.

Here: what each frame came to, and the shares with their intervals. Not here: which frames are drawn (`gap_frames.py`)
and how a person is asked (`gap_folder.py`).
"""

from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy.stats import norm

from megafish_assets.detections.overlaps import pair_overlaps
from megafish_assets.footage.boxes import BOX
from megafish_assets.labels.current import FOUND, LOOKED_AT, MISSED, NOT_FISH, TWICE

FOUND_IOU = 0.5
"""Overlap from which on a box of today is the one of which a person spoke: the detector may have run again since. The
page takes no drawn box that overlaps a detector's by so much."""

FEWEST_FRAMES = 20
"""Under which there is no interval: with fewer, one frame with a school in it decides."""

LEVEL = 0.95
"""Of the intervals."""


@dataclass(frozen=True)
class Share:
    """A share of animals or boxes, with its interval."""

    share: float | None
    """0 to 1; None where there is nothing to take a share of."""
    low: float | None
    """Lower end of the interval; None where it is refused."""
    high: float | None
    note: str
    """How the interval was made, or why there is none."""


def with_answers(frames: pl.DataFrame, boxes: pl.DataFrame, labels: pl.DataFrame) -> pl.DataFrame:
    """The frames (`video`, `frame_id`) in their order with what people saw in them.

    `boxes` are today's of these frames (`video`, `frame_id`, `detection_id`, `BOX`) that are not taken for artefacts,
    `labels` everything that people said (columns `LABELS`). Adds `n_boxes`; and where somebody has looked (`looked_by`,
    else null): `n_found`, animals with a box, `n_missed`, `n_no_animal` and `n_twice`, boxes of no animal, and of one
    that has another box.

    People speak of boxes by their place: after the detector has run again, each word holds for the box of today that
    overlaps its own most, by `FOUND_IOU`, and an animal without one is missed. A frame in which a box of today bears no
    word (`n_unjudged`) has to be looked at again, and counts as not looked at.

    Of several people who looked at a frame the last one counts, and of his words the last ones, by when he said that he
    had seen it all: a file holds the whole of what its page was told.
    """
    keys = ["video", "frame_id"]
    seen = labels.filter(pl.col("status") == LOOKED_AT).sort("labelled_at", "labelled_by", "label_id")
    last = seen.unique(keys, keep="last", maintain_order=True).select(
        *keys, pl.col("labelled_by").alias("looked_by"), _file().alias("of_file")
    )
    # One file says all of a frame: what another file said of it before was changed since.
    own = labels.join(frames.select(keys), on=keys, how="semi").join(last, on=keys)
    own = own.filter((_file() == pl.col("of_file")) & pl.col("status").is_in([*_ANIMALS, NOT_FISH, TWICE]))
    told = frames.join(last.drop("of_file"), on=keys, how="left", maintain_order="left")
    there = boxes.join(frames.select(keys), on=keys, how="semi")
    judged = _judged(own.drop_nulls("box").select(*keys, "status", "box").unique(), there)
    is_animal, has_box = pl.col("status").is_in(_ANIMALS), pl.col("detection_id").is_not_null()
    counts = {
        "n_boxes": there,
        "n_unjudged": there.join(judged, on="detection_id", how="anti").join(last, on=keys, how="semi"),
        "n_found": judged.filter(is_animal & has_box),
        "n_missed": judged.filter(is_animal & ~has_box),
        "n_no_animal": judged.filter((pl.col("status") == NOT_FISH) & has_box),
        "n_twice": judged.filter((pl.col("status") == TWICE) & has_box),
    }
    for name, rows in counts.items():
        count = rows.group_by(keys).agg(pl.len().cast(pl.Int64).alias(name))
        told = told.join(count, on=keys, how="left", maintain_order="left").with_columns(pl.col(name).fill_null(0))
    told = told.with_columns(pl.when(pl.col("n_unjudged") == 0).then("looked_by"))
    answers = ("n_found", "n_missed", "n_no_animal", "n_twice")
    return told.with_columns(pl.when(pl.col("looked_by").is_not_null()).then(pl.col(answers)))


_ANIMALS = (FOUND, MISSED)


def _file() -> pl.Expr:
    """What the ids of one file's labels begin with."""
    return pl.col("label_id").str.split("-").list.first()


def _judged(said: pl.DataFrame, boxes: pl.DataFrame) -> pl.DataFrame:
    """What was said (`video`, `frame_id`, `status`, `box`) with the `detection_id` of the box of today that it holds
    for, null for none: pairs of the largest overlap first, and none twice."""
    rows = said.with_row_index("row")
    pairs = rows.join(boxes, on=["video", "frame_id"])
    spoken = np.array(pairs["box"].to_list(), dtype=float).reshape(-1, 4)
    overlap = pl.Series("overlap", pair_overlaps(spoken, pairs.select(BOX).to_numpy()), dtype=pl.Float64)
    pairs = pairs.with_columns(overlap).filter(pl.col("overlap") >= FOUND_IOU)
    box_of: dict[int, str] = {}
    taken: set[str] = set()
    for row, detection_id in (
        pairs.sort("overlap", "row", descending=[True, False]).select("row", "detection_id").rows()
    ):
        if row not in box_of and detection_id not in taken:
            box_of[row] = detection_id
            taken.add(detection_id)
    found = pl.DataFrame(list(box_of.items()), {"row": pl.UInt32, "detection_id": pl.String}, orient="row")
    return rows.join(found, on="row", how="left", maintain_order="left")


def recall(frames: pl.DataFrame) -> Share:
    """Of the animals in view, the share that has a box; `frames` is what `with_answers` gives."""
    return _share(frames, "n_found", ["n_found", "n_missed"])


def precision(frames: pl.DataFrame) -> Share:
    """Of the detector's boxes, the share that is an animal's, its second boxes too."""
    with_boxes = frames.with_columns((pl.col("n_found") + pl.col("n_twice")).alias("n_of_animals"))
    return _share(with_boxes, "n_of_animals", ["n_of_animals", "n_no_animal"])


def _share(frames: pl.DataFrame, part: str, of: list[str]) -> Share:
    looked = frames.filter(pl.col("looked_by").is_not_null())
    parts, wholes = looked[part].to_numpy(), looked.select(pl.sum_horizontal(of)).to_series().to_numpy()
    if n_changed := frames.filter(pl.col("n_unjudged") > 0).height:
        # The others would be those in which the detector found nothing new, right or wrong.
        seen = looked.height + n_changed
        return Share(
            None, None, None, f"{n_changed} of {seen} frames hold boxes that nobody judged: look at them again"
        )
    if not wholes.sum():
        return Share(None, None, None, "nothing was seen yet" if looked.height else "nobody has looked yet")
    share = float(parts.sum() / wholes.sum())
    if looked.height < FEWEST_FRAMES:
        told = f"no interval: {looked.height} frames were looked at, and {FEWEST_FRAMES} are needed"
        return Share(share, None, None, told)
    low, high = clustered_interval(parts, wholes)
    return Share(share, low, high, f"{LEVEL:.0%} interval of {looked.height} frames")


def clustered_interval(parts: np.ndarray, wholes: np.ndarray) -> tuple[float, float]:
    """The interval of a share whose units are drawn in groups, here the animals of a frame; both are numbers
    `(n_groups,)`.

    Wilson's interval of as many independent units as tell as much: the number of units by the design effect, the
    variance of the ratio between groups by that of independent units, which counts as no less than 1.

    Source: Korn & Graubard 1998, Survey Methodology 24:193; Wilson 1927.
    """
    n, n_groups = wholes.sum(), len(wholes)
    share = parts.sum() / n
    residuals = parts - share * wholes
    between = n_groups / (n_groups - 1) * (residuals**2).sum() / n**2
    independent = share * (1 - share) / n
    effect = max(1.0, between / independent) if independent > 0 else 1.0
    units, z = n / effect, norm.ppf((1 + LEVEL) / 2)
    middle = (share + z**2 / (2 * units)) / (1 + z**2 / units)
    half = z / (1 + z**2 / units) * np.sqrt(share * (1 - share) / units + z**2 / (4 * units**2))
    return float(max(0.0, middle - half)), float(min(1.0, middle + half))
