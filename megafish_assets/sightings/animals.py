"""Tracklets as animals: which links are made, and how many animals a clip's sightings come to."""

from dataclasses import dataclass, field

import numpy as np
import polars as pl

from megafish_assets.detections.scene import ScenePath
from megafish_assets.footage.columns import empty_table
from megafish_assets.sightings.columns import LINKED
from megafish_assets.sightings.linking import LEAST_LOG_ODDS, Pieces, after_links, part_links, within_links
from megafish_assets.sightings.naming import counted
from megafish_assets.sightings.windows import CLIP

AFTER, WITHIN, PART = "after", "within", "part"


@dataclass
class _Animals:
    """Pieces as they are joined."""

    pieces: Pieces
    group_of: list[int] = field(init=False)
    frames_of: list[set[int]] = field(init=False)
    names_of: list[set[str]] = field(init=False)

    def __post_init__(self) -> None:
        self.group_of = list(range(len(self.pieces)))
        self.frames_of = [set(frames.tolist()) for frames in self.pieces.frames]
        self.names_of = [{name} - {None} for name in self.pieces.names]

    def group(self, piece: int) -> int:
        """The number of its animal."""
        while self.group_of[piece] != piece:
            self.group_of[piece] = self.group_of[self.group_of[piece]]
            piece = self.group_of[piece]
        return piece

    def join(self, one: int, other: int, may_share_frames: bool = False) -> bool:
        """Makes both one animal, unless they are seen at once or are called otherwise; whether they are joined."""
        one, other = sorted((self.group(one), self.group(other)))
        names = self.names_of[one] | self.names_of[other]
        if one == other or len(names) > 1:
            return False
        if not may_share_frames and not self.frames_of[one].isdisjoint(self.frames_of[other]):
            return False
        self.group_of[other] = one
        self.frames_of[one] |= self.frames_of[other]
        self.names_of[one] = names
        return True


def linked(rows: pl.DataFrame, path: ScenePath | None) -> pl.DataFrame:
    """The columns `LINKED`, a row a tracklet of one video that may be a fish, sorted.

    `rows` holds the video's boxes of those: `video`, `tracklet_id`, `name`, `is_part`, `frame_id`, `BOX` and what tells
    seconds; `path` is that of its scene, None where it is not known.
    """
    if rows.is_empty():
        return empty_table(LINKED)
    whole = rows.filter(~pl.col("is_part"))
    pieces, parts = Pieces.of(rows, path), part_links(rows)
    place = {tracklet_id: number for number, tracklet_id in enumerate(pieces.ids)}
    animals, how = _Animals(pieces), {}
    is_whole = np.isin(pieces.ids, whole["tracklet_id"].unique().to_numpy())
    links, followed, preceded = after_links(pieces), set(), set()
    ends = list(zip(links.first.tolist(), links.second.tolist(), strict=True))
    for (first, second), log_odds in zip(ends, links.log_odds.tolist(), strict=True):
        is_free = is_whole[first] and is_whole[second] and first not in followed and second not in preceded
        if log_odds > LEAST_LOG_ODDS and is_free and animals.join(first, second):
            followed.add(first)
            preceded.add(second)
            how[second] = (AFTER, first, 1 / (1 + np.exp(-log_odds)))
    for large, small in within_links(pieces):
        if small not in how and animals.join(large, small):
            how[small] = (WITHIN, large, None)
    for part, host in parts.items():
        if place[part] not in how and animals.join(place[host], place[part], may_share_frames=True):
            how[place[part]] = (PART, place[host], None)
    is_open = {piece for pair in ends if animals.group(pair[0]) != animals.group(pair[1]) for piece in pair}
    return _table(rows["video"][0], pieces, animals, how, is_open)


def _table(
    video: str,
    pieces: Pieces,
    animals: _Animals,
    how: dict[int, tuple[str, int, float | None]],
    is_open: set[int],
) -> pl.DataFrame:
    groups = [animals.group(piece) for piece in range(len(pieces))]
    told = [how.get(piece, (None, None, None)) for piece in range(len(pieces))]
    table = pl.DataFrame(
        {
            "video": [video] * len(pieces),
            "tracklet_id": pieces.ids,
            "animal_id": [pieces.ids[group] for group in groups],
            "link": [link for link, _, _ in told],
            "linked_to": [None if other is None else pieces.ids[other] for _, other, _ in told],
            "probability": [probability for _, _, probability in told],
            "is_open": [piece in is_open for piece in range(len(pieces))],
        },
        schema={name: column.dtype for name, column in LINKED.items() if name != "n_tracklets"},
    )
    joined = table.with_columns(pl.len().over("animal_id").cast(pl.Int64).alias("n_tracklets"))
    return joined.select(list(LINKED)).sort("tracklet_id")


def animals_of_clips(sightings: pl.DataFrame, linked_rows: pl.DataFrame) -> pl.DataFrame:
    """`window` (a video), `kind` and `n_animals`, the animals that its sightings which count come to; null where a
    piece of one may be a piece of another, and the number is anything between MaxN and `n_tracklets`.

    `sightings` holds the columns `SIGHTINGS`, `linked_rows` the columns `LINKED`.
    """
    links = linked_rows.select("tracklet_id", "animal_id", "is_open")
    known = counted(sightings.lazy()).collect().join(links, on="tracklet_id", how="left")
    is_sure = ~pl.col("is_open").fill_null(True).any()
    return known.group_by(pl.col("video").alias("window"), "kind").agg(
        pl.when(is_sure).then(pl.col("animal_id").n_unique().cast(pl.Int64)).alias("n_animals")
    )


def with_animals(abundance: pl.DataFrame, animals: pl.DataFrame) -> pl.DataFrame:
    """The columns `ABUNDANCE` with the `n_animals` of each clip and kind, as `animals_of_clips` tells them; 0 of what
    was not seen."""
    is_clip = pl.col("window_kind") == CLIP
    known = abundance.drop("n_animals").join(animals, on=["window", "kind"], how="left", maintain_order="left")
    # A piece that was joined across a gap may count twice in MaxN, which bridges the gap too: then nobody knows.
    is_possible = pl.col("n_animals") >= pl.col("max_n")
    of_clip = pl.when(pl.col("n_tracklets") == 0).then(0).when(is_possible).then("n_animals")
    return known.with_columns(pl.when(is_clip).then(of_clip).alias("n_animals")).select(abundance.columns)
