"""Which tile stands on which sheet, in which order: what names most tracklets a minute comes first.

Here: units and their clusters, the order of sheets and of tiles, what a sheet may be called. Not here: pictures, see
`review_pictures.py`, and the folder of HTML, see `review_folder.py`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from megafish_assets.embeddings.tables import to_matrix
from megafish_assets.footage.columns import empty_table, typed
from megafish_assets.labels.naming import NOT_A_FISH
from megafish_assets.labels.review_columns import TILES

TILES_AT_FIRST = 240
"""Of a sheet, before a person asks for more: three or four screens, and one sprite. A name holds for what was shown."""

SECONDS_A_NAME, SECONDS_A_TILE = 20.0, 1.0
"""What a name and a look at a tile take; guessed, and the order of sheets hardly depends on it."""

TYPICAL_FIRST = 24
"""Tiles that say what the sheet shows, before those that most want a look: two rows of a wide screen."""

LEAST_SURE = TILES_AT_FIRST
"""Tiles of the sheet of the least sure: a labelling round of a quarter of an hour."""

AGREED_SHARE = 0.5
"""Above which the names that a sheet's tiles have so far agree enough to be offered for all of it."""

ON_PLACE_IOU = 0.5
"""From here on a crop shows a place: what made it one, see `lens_places`."""

PLACES, NOISE, SMALL, UNSURE = "places", "noise", "small", "unsure"


@dataclass(frozen=True)
class Sheet:
    """A sheet of the review, without its tiles."""

    name: str
    """Of its file, and in the table."""
    cluster: int | None
    """None where the tiles are of several; -1 is noise."""
    kind_id: int | None
    n_tiles: int
    n_videos: int
    n_before: int
    """Tiles that a person has named in an earlier round."""
    coherence: float | None
    """Mean share of a tile's nearest others that are in its cluster too; None where a sheet is none."""
    named_a_minute: float | None
    """Tracklets, as `named_a_minute` counts; None where tiles are named one by one."""
    is_stable: bool | None
    """Whether other videos show the cluster too; None where that is not known."""
    proposal: str | None
    """The name that most of its tiles have so far."""


def units_of(clusters: pl.DataFrame) -> pl.DataFrame:
    """A row a unit: `unit_id`, `tracklet_id`, `cluster`, `n_clusters`, and `typical`, its `support`; sorted by id.

    `clusters` holds `detection_id`, `tracklet_id`, `cluster`, and perhaps `support` (null for noise). Where crops are
    grouped by themselves, a tracklet counts where most of its crops are, of equals where the label is smallest.
    """
    unit = pl.coalesce("tracklet_id", "detection_id").alias("unit_id")
    votes = clusters.with_columns(unit).group_by("unit_id", "tracklet_id", "cluster")
    support = pl.col("support").fill_nan(None).mean() if "support" in clusters.columns else pl.lit(None, pl.Float64)
    counts = votes.agg(pl.len().cast(pl.Int64).alias("n_crops"), support.alias("typical"))
    ordered = counts.sort("unit_id", -pl.col("n_crops"), "cluster")
    first = ordered.unique("unit_id", keep="first", maintain_order=True)
    n_clusters = counts.group_by("unit_id").agg(pl.len().cast(pl.Int64).alias("n_clusters"))
    return first.drop("n_crops").join(n_clusters, on="unit_id").sort("unit_id")


def with_names(units: pl.DataFrame, classes: pl.DataFrame | None) -> pl.DataFrame:
    """The units with the `name`, `name_source` and `probability` that each has so far, all null without `classes`."""
    columns = {"unit_id": pl.String, "name": pl.String, "name_source": pl.String, "probability": pl.Float64}
    if classes is None:
        classes = pl.DataFrame(schema=columns)
    known = classes.select(pl.col(name).cast(dtype) for name, dtype in columns.items())
    known = known.filter(pl.col("name").is_not_null())
    return units.join(known, on="unit_id", how="left", maintain_order="left")


def with_kinds(units: pl.DataFrame, kinds: Mapping[int, int]) -> pl.DataFrame:
    """The units with the `kind_id` of their cluster, null where it is not among `kinds`."""
    kind = pl.col("cluster").replace_strict(kinds, default=None, return_dtype=pl.Int64)
    return units.with_columns(kind.alias("kind_id"))


def named_a_minute(n_tracklets: int, coherence: float) -> float:
    """Tracklets that a person names in a minute: those of the sheet that bear its name, over the seconds it takes.

    `60 n coherence / (SECONDS_A_NAME + SECONDS_A_TILE min(n, TILES_AT_FIRST))`: of a large sheet the rest, which is not
    looked at, follows from what was.
    """
    looked_at = SECONDS_A_NAME + SECONDS_A_TILE * min(n_tracklets, TILES_AT_FIRST)
    return 60 * n_tracklets * coherence / looked_at


def proposal(names: pl.DataFrame) -> str | None:
    """The name that more than `AGREED_SHARE` of the named tiles have; what people said counts before the classifier."""
    for source in (["person"], ["kind", "classified"]):
        named = names.filter(pl.col("name_source").is_in(source)).drop_nulls("name")
        counts = named.group_by("name").len().sort(-pl.col("len").cast(pl.Int64), "name")
        if counts.height and counts["len"][0] > AGREED_SHARE * named.height:
            return counts["name"][0]
    return None


def cluster_order(tiles: pl.DataFrame, named: str | None) -> pl.DataFrame:
    """A cluster's tiles: the `TYPICAL_FIRST` most typical, then from the least typical on.

    Typical is what `typical` says, or, where the tile has a name so far, how probable the sheet's is: less than nothing
    for another one.
    """
    probability = pl.col("probability").fill_null(1.0)
    is_same = pl.col("name") == pl.lit(named, pl.String)
    of_name = pl.when(is_same).then(probability).when(~is_same).then(-probability)
    order = tiles.with_columns(pl.coalesce(of_name, "typical").alias("typical")).sort(
        -pl.col("typical"), "unit_id", nulls_last=True
    )
    return pl.concat([order.head(TYPICAL_FIRST), order.slice(TYPICAL_FIRST).reverse()])


def noise_order(tiles: pl.DataFrame, positions: pl.DataFrame) -> pl.DataFrame:
    """Tiles of the noise, look-alikes side by side: each followed by the nearest of those left, from the largest on.

    `positions` holds `unit_id` and `position`, where each was grouped.
    """
    area = pl.col("width_px") * pl.col("height_px")
    placed = tiles.join(positions, on="unit_id", how="left").sort(-area, "unit_id")
    rows, nowhere = placed.drop_nulls("position"), placed.filter(pl.col("position").is_null())
    if rows.height < 3:
        return placed.drop("position")
    points = to_matrix(rows["position"])
    left, chain = np.ones(len(points), dtype=bool), [0]
    left[0] = False
    for _ in range(len(points) - 1):
        apart = ((points - points[chain[-1]]) ** 2).sum(axis=1)
        apart[~left] = np.inf
        chain.append(int(apart.argmin()))
        left[chain[-1]] = False
    return pl.concat([rows[chain], nowhere]).drop("position")


def small_order(tiles: pl.DataFrame) -> pl.DataFrame:
    """Tiles of what is too small to be grouped: those of one name so far side by side, large before small, and last
    what is taken for no fish."""
    area, is_none = pl.col("width_px") * pl.col("height_px"), pl.col("name").eq_missing(NOT_A_FISH)
    return tiles.sort(is_none, "name", -area, "unit_id", nulls_last=True)


def unsure_order(tiles: pl.DataFrame) -> pl.DataFrame:
    """The `LEAST_SURE` tiles that the classifier is least sure of; empty where it says nothing."""
    classified = tiles.filter(pl.col("name_source").is_in(["classified", "kind"])).drop_nulls("probability")
    return classified.sort("probability", "unit_id").head(LEAST_SURE)


def place_tiles(places: pl.DataFrame | None, seen: pl.DataFrame) -> pl.DataFrame:
    """A tile a place on the lens, the likeliest artefact first, by the crop whose box covers it best, if any does.

    `seen` holds a row a crop that has a picture: `detection_id`, `video`, `video_file`, `frame_id`, the box, `seconds`,
    `recorded_at` and its sizes. A place without such a crop keeps its own box, and no detection.
    """
    if places is None or places.is_empty():
        return empty_table(TILES)
    sides = ["x_1024", "y_1024", "width_1024", "height_1024"]
    boxes, rows = seen.select(sides).to_numpy(), []
    for place in places.sort(-pl.col("lens_score"), "place_id").iter_rows(named=True):
        overlap = _ious(np.array([place[side] for side in sides]), boxes)
        best = int(overlap.argmax()) if len(overlap) else -1
        crop = seen.row(best, named=True) if best >= 0 and overlap[best] >= ON_PLACE_IOU else {}
        own = {side: place[side] for side in sides}
        both = own | crop | {"place_id": place["place_id"], "unit_id": place["place_id"]}
        rows.append({name: both.get(name) for name in TILES} | {"typical": place["lens_score"]})
    return pl.DataFrame(rows, schema=empty_table(TILES).schema)


def _ious(box: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """float64 `(n,)`, of one box with each of `(n, 4)`, x, y, width, height."""
    if not len(boxes):
        return np.empty(0)
    low, high = np.maximum(boxes[:, :2], box[:2]), np.minimum(boxes[:, :2] + boxes[:, 2:], box[:2] + box[2:])
    shared = np.clip(high - low, 0, None).prod(axis=1)
    union = boxes[:, 2:].prod(axis=1) + box[2:].prod() - shared
    return shared / np.maximum(union, 1e-9)


def review_sheets(
    tiles: pl.DataFrame,
    places: pl.DataFrame,
    positions: pl.DataFrame,
    stability: pl.DataFrame | None = None,
) -> tuple[list[Sheet], pl.DataFrame]:
    """All sheets in their order, and the columns `TILES`, sorted by sheet and position.

    `tiles` holds a row a unit: what `units_of`, `with_names` and `with_kinds` make, with its best crop's columns.
    Places come first, then clusters by `named_a_minute` of what nobody has named yet, then noise, then what is too
    small to be grouped (its `cluster` is null), then the least sure, which stand on another sheet too.
    """
    stable = {} if stability is None else dict(stability.select("cluster", "stable").iter_rows())
    found = []
    clustered = tiles.filter(pl.col("cluster") >= 0)
    for (cluster,), members in sorted(clustered.partition_by("cluster", as_dict=True).items()):
        named = proposal(members)
        sheet = _cluster_sheet(cluster, members, named, stable.get(cluster))
        found.append((sheet, cluster_order(members, named)))
    found.sort(key=lambda pair: (-pair[0].named_a_minute, pair[0].cluster))
    noise = tiles.filter(pl.col("cluster") < 0)
    if places.height:
        found.insert(0, (_sheet(PLACES, places), places))
    if noise.height:
        found.append((_sheet(NOISE, noise, cluster=-1), noise_order(noise, positions)))
    small = tiles.filter(pl.col("cluster").is_null())
    if small.height:
        found.append((_sheet(SMALL, small), small_order(small)))
    least = unsure_order(tiles)
    if least.height:
        found.append((_sheet(UNSURE, least), least))
    parts = [_placed(rows, sheet.name, place) for place, (sheet, rows) in enumerate(found)]
    return [sheet for sheet, _ in found], pl.concat([empty_table(TILES), *parts])


def _cluster_sheet(cluster: int, members: pl.DataFrame, named: str | None, stable: bool | None) -> Sheet:
    coherence = members["typical"].mean()
    coherence = 1.0 if coherence is None else float(coherence)
    n_unnamed = members.height - _n_before(members)
    return _sheet(
        f"c{cluster:03d}",
        members,
        cluster=cluster,
        kind_id=members["kind_id"][0],
        coherence=coherence,
        named_a_minute=named_a_minute(n_unnamed, coherence),
        is_stable=stable,
        proposal=named,
    )


def _sheet(name: str, members: pl.DataFrame, **known: object) -> Sheet:
    unknown = dict.fromkeys(("cluster", "kind_id", "coherence", "named_a_minute", "is_stable", "proposal"))
    counts = {"n_tiles": members.height, "n_videos": members["video"].n_unique(), "n_before": _n_before(members)}
    return Sheet(name, **(unknown | counts | known))


def _n_before(members: pl.DataFrame) -> int:
    return members.filter(pl.col("name_source") == "person").height


def _placed(rows: pl.DataFrame, sheet: str, place: int) -> pl.DataFrame:
    known = rows.with_columns(
        pl.lit(sheet).alias("sheet"),
        pl.lit(place, pl.Int64).alias("sheet_position"),
        pl.int_range(pl.len(), dtype=pl.Int64).alias("position"),
    )
    return typed(known, TILES)


def units_not_on_one_sheet(tiles: pl.DataFrame, units: Sequence[str] | pl.Series) -> int:
    """Units that stand on no sheet of a cluster, of noise or of small ones, or on several; and tiles of none."""
    standing = tiles.filter(~pl.col("sheet").is_in([PLACES, UNSURE]))
    counts = standing.group_by("unit_id").len()
    wanted = pl.DataFrame({"unit_id": units}, schema={"unit_id": pl.String}).unique()
    both = wanted.join(counts, on="unit_id", how="full", coalesce=False)
    return both.filter((pl.col("len") != 1).fill_null(True) | pl.col("unit_id").is_null()).height
