"""Where boxes recur from clip to clip, from the boxes alone: growth and scratches on the lens, which a detector takes
for fish again and again.

Here: places over the collection, and how far a box lies in one. Not here: places within a clip (`recurrences.py`), what
becomes of such boxes (`not_fish.py`, `sampling.py`), and whether a place sits on the lens or in a scene that never
moves.

```
clip 1:  a box, again and again, here  [#]      [o]          # recurs in the other clips too: on the lens
clip 2:                                [#]  [x]              o, x: a fish that rests, a rock before a camera that
clip 3:                                [#]          [o]         stands still for a while
```
"""

import hashlib
from bisect import bisect_left

import numpy as np
import polars as pl

from megafish_assets.detections.columns import LENS_PLACES, RECURRENCES
from megafish_assets.detections.overlaps import overlapping, pair_overlaps
from megafish_assets.detections.recurrences import CLIP_SECONDS, in_turn, seconds_of
from megafish_assets.footage.boxes import BOX
from megafish_assets.footage.ids import natural

NEAR_CLIPS = 50
"""Clips before and after that a place is compared with: growth grows, and is another place a day later."""

LENS_SCORE = 0.15
"""From which on a place counts as one of the lens. On eight reefs, camera panning or still, a fifth of the fish resting
or none, it costs at most 0.031 % of a reef's fish at 12 clips, and finds all of its growth:
docs/quality.md."""

OWN_CLIPS_APART = 6
"""Clips of one video that are compared lie so many apart, a minute: a fish may rest for half of one."""

FEWEST_OTHERS = 5
"""Other clips in which a place must recur: in four a fish that rests may meet others, which cost 0.2 % of the fish on
one of 16 reefs."""


def lens_places(found: pl.DataFrame, fish_boxes: np.ndarray | None = None) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The places of the lens, in the columns `LENS_PLACES`, and the recurrences with what other clips say of each.

    Where one of the `fish_boxes` lies, float64 `(n, 4)`, there is no place, see `spared`.
    """
    clips = in_turn(found)
    rows = found.select(pl.exclude("lens_score", "n_others", "place_id", "is_spared")).join(
        clips.select("video", "clip", "turn"), on=["video", "clip"], how="left", maintain_order="left"
    )
    boxes, turns = rows.select(BOX).to_numpy(), rows["turn"].to_numpy()
    unnamed = rows.with_columns(pl.lit(None, pl.String).alias("place_id"))
    scores, n_others, _ = _scores(boxes, rows, unnamed, clips)
    is_place = (scores >= LENS_SCORE) & (n_others >= FEWEST_OTHERS)
    groups = _joined(boxes[is_place], turns[is_place])
    # Numbered by how much of a bother they are, so that the first tiles a person sees are the ones that matter.
    weight = (
        pl.DataFrame({"group": groups, "n": rows["n_boxes"].to_numpy()[is_place]})
        .group_by("group")
        .agg(pl.col("n").sum())
    )
    order = weight.sort("n", "group", descending=[True, False])["group"].to_list()
    names = {group: f"p{number + 1:03d}" for number, group in enumerate(order)}
    place_ids = np.full(rows.height, None, dtype=object)
    place_ids[is_place] = [names[group] for group in groups.tolist()]
    scored = rows.with_columns(
        pl.Series("lens_score", scores),
        pl.Series("n_others", n_others),
        pl.Series("place_id", place_ids.tolist(), dtype=pl.String),
        pl.lit(False).alias("is_spared"),
    ).select(*RECURRENCES)
    scored = scored if fish_boxes is None else spared(scored, fish_boxes)
    return places_table(scored), scored


def places_table(scored: pl.DataFrame) -> pl.DataFrame:
    """The columns `LENS_PLACES`, a row a place in force, of what `lens_places` gives second."""
    places = in_force(scored).drop_nulls("place_id").group_by("place_id")
    rows = places.agg(
        *[pl.col(side).median() for side in BOX],
        pl.col("lens_score").median(),
        pl.col("video").n_unique().cast(pl.Int64).alias("n_videos"),
        pl.col("n_boxes").sum(),
    )
    version = pl.lit(places_version(scored), pl.String).alias("places_version")
    return rows.with_columns(version).select(*LENS_PLACES).sort("place_id")


def spared(scored: pl.DataFrame, fish_boxes: np.ndarray) -> pl.DataFrame:
    """The same recurrences, with `is_spared` at the places that overlap any of these boxes, float64 `(n, 4)`, and at no
    others: a person has seen that a fish stays there. They keep their `place_id`, for he may say otherwise later."""
    places = places_table(scored.with_columns(pl.lit(False).alias("is_spared")))
    fish = np.unique(overlapping(places.select(BOX).to_numpy(), fish_boxes)[0])
    names = places["place_id"][fish.tolist()].to_list()
    return scored.with_columns(pl.col("place_id").is_in(names).fill_null(False).alias("is_spared"))


def in_force(scored: pl.DataFrame) -> pl.DataFrame:
    """The same recurrences, without the `place_id` of places that are spared."""
    if "is_spared" not in scored.columns:  # of an earlier version, which dropped them for good
        return scored
    return scored.with_columns(pl.when(~pl.col("is_spared")).then("place_id").alias("place_id"))


def _scores(boxes: np.ndarray, rows: pl.DataFrame, found: pl.DataFrame, clips: pl.DataFrame) -> tuple:
    """Of boxes `(n, 4)`, whose `video` and `clip` these rows say: the mean share of seconds at which they are met in
    the other clips about theirs, in how many they are met at all, and the place of the lens that they overlap most."""
    places = found.filter(pl.col("is_compared") & pl.col("x_1024").is_not_null())
    scores, n_others = np.zeros(len(boxes)), np.zeros(len(boxes), dtype=np.int64)
    names = np.full(len(boxes), None, dtype=object)
    of_clip = rows.with_row_index("row").group_by("video", "clip", maintain_order=True).agg("row")
    turns = {(video, clip): turn for video, clip, turn in clips.select("video", "clip", "turn").iter_rows()}
    order = [natural(video) for video in clips["video"]]
    for video, clip, mine in of_clip.iter_rows():
        turn = turns.get((video, clip), bisect_left(order, natural(video)))
        about = pl.col("turn").is_between(turn - NEAR_CLIPS, turn + NEAR_CLIPS) & (
            (pl.col("video") != video) | ((pl.col("clip") - clip).abs() >= OWN_CLIPS_APART)
        )
        n, near = clips.filter(about & pl.col("is_compared")).height, places.filter(about)
        if n and near.height:
            scores[mine], n_others[mine], names[mine] = _met(boxes[mine], near, n)
    return scores, n_others, names


def _met(boxes: np.ndarray, near: pl.DataFrame, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean over `n` clips of the best share at a place of each that a box overlaps, the clips in which it does, and the
    place of the lens that it overlaps most, None for none."""
    columns = np.unique(near["turn"].to_numpy(), return_inverse=True)[1]
    shares, places, names = near["seconds_share"].to_numpy(), near.select(BOX).to_numpy(), near["place_id"].to_numpy()
    best = np.zeros((len(boxes), columns.max() + 1))
    row, place = overlapping(boxes, places)
    np.maximum.at(best, (row, columns[place]), shares[place])
    nearest = np.full(len(boxes), None, dtype=object)
    order = np.argsort(pair_overlaps(boxes[row], places[place]), kind="stable")
    order = order[[name is not None for name in names[place[order]]]]
    nearest[row[order]] = names[place[order]]
    return best.sum(axis=1) / n, (best > 0).sum(axis=1), nearest


def _joined(boxes: np.ndarray, turns: np.ndarray) -> np.ndarray:
    """int64 `(n,)`, which of these places are one: those that overlap in clips near each other, and what they touch."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import connected_components

    if not len(boxes):
        return np.empty(0, dtype=np.int64)
    row, other = overlapping(boxes, boxes)
    one = np.abs(turns[row] - turns[other]) <= NEAR_CLIPS
    links = csr_array((np.ones(one.sum()), (row[one], other[one])), shape=(len(boxes), len(boxes)))
    return connected_components(links, directed=False)[1].astype(np.int64)


def places_version(scored: pl.DataFrame) -> str | None:
    """Twelve hexadecimal digits that change with the places of the lens; None where there are none."""
    places = in_force(scored).drop_nulls("place_id").select("video", "clip", *BOX)
    if places.is_empty():
        return None
    return hashlib.sha256(places.write_csv(float_precision=3).encode()).hexdigest()[:12]


def moved_share(before: pl.DataFrame, now: pl.DataFrame) -> float:
    """Share of the recurrences that are places of the lens now, or were, and are none for the other; 0 of none.

    1 where a whole place has come or gone, or most of one within `NEAR_CLIPS` clips, however much has stayed: growth
    of a week must not hide behind a year of clips. Both as `lens_places` gives them second; places that are spared
    count like others. One clip's place is the other's where a box of it would be left out by both.
    """
    sides = [_lost(before, now), _lost(now, before)]
    if any(_has_moved(lost) for lost in sides):
        return 1.0
    n = sum(lost.height for lost in sides)
    return sum(lost["is_lost"].sum() for lost in sides) / n if n else 0.0


def _lost(one: pl.DataFrame, other: pl.DataFrame) -> pl.DataFrame:
    """`place_id`, `turn` and `is_lost` of each place of one side in each clip: whether it is none for the other."""
    clips = in_turn(one).select("video", "clip", "turn")
    places = one.drop_nulls("place_id").join(clips, on=["video", "clip"], maintain_order="left")
    named = _named(places.select(BOX).to_numpy(), places, other)["place_id"]
    return places.select("place_id", "turn", named.is_null().alias("is_lost"))


def _has_moved(lost: pl.DataFrame) -> bool:
    """Whether a place is all lost, or most of it in some `NEAR_CLIPS` clips; in fewer than a place needs is chance."""
    places = lost.group_by("place_id").agg(pl.len(), share=pl.col("is_lost").mean())
    near = lost.group_by("place_id", pl.col("turn") // NEAR_CLIPS).agg(pl.len(), share=pl.col("is_lost").mean())
    enough = pl.col("len") >= FEWEST_OTHERS
    return not (places.filter(enough, share=1).is_empty() and near.filter(enough, pl.col("share") > 0.5).is_empty())


def places_of(rows: pl.DataFrame, scored: pl.DataFrame) -> pl.DataFrame:
    """`lens_score` and `place_id` of each row (`video`, `frame_id`, `seconds_in_video` and `BOX`), in their order; null
    for what lies at no place of the lens.

    `scored` is what `lens_places` gave second; a video that it does not hold is judged by those about it.
    """
    when = rows.select("video", clip=(seconds_of() / CLIP_SECONDS).floor().cast(pl.Int64))
    return _named(rows.select(BOX).to_numpy(), when, in_force(scored))


def _named(boxes: np.ndarray, when: pl.DataFrame, scored: pl.DataFrame) -> pl.DataFrame:
    """`lens_score` and `place_id` of boxes `(n, 4)`, whose `video` and `clip` are given row for row."""
    clips = in_turn(scored)
    found = scored.join(clips.select("video", "clip", "turn"), on=["video", "clip"], how="left")
    scores, n_others, names = _scores(boxes, when, found, clips)
    names[(scores < LENS_SCORE) | (n_others < FEWEST_OTHERS)] = None
    columns = {"lens_score": scores, "place_id": pl.Series(names.tolist(), dtype=pl.String)}
    return pl.DataFrame(columns, schema={"lens_score": pl.Float64, "place_id": pl.String})
