"""What every export is written from: all tables, checked, boxes by video."""

import hashlib
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import polars as pl

from megafish_assets.exports.columns import KINDS, VIDEOS
from megafish_assets.footage.columns import Columns
from megafish_assets.footage.decoding import Frame
from megafish_assets.footage.site import Site
from megafish_assets.labels.columns import WORDS
from megafish_assets.sightings.columns import ABUNDANCE, SIGHTINGS
from megafish_assets.sightings.windows import Origin


@dataclass(frozen=True)
class BoxStream:
    """The boxes of a collection, some videos in memory at a time.

    ```python
    for video, boxes in tables.boxes:  # every video that has valid boxes, in order
        boxes["width_px"]
    ```
    """

    batches: Sequence[Sequence[str]]
    """Videos that are read together, all in order."""
    read: Callable[[Sequence[str]], pl.DataFrame]
    """The columns `BOXES` of these videos, in order of video, frame and id."""

    def __iter__(self) -> Iterator[tuple[str, pl.DataFrame]]:
        for videos in self.batches:
            parts = self.read(videos).partition_by("video", as_dict=True, maintain_order=True)
            yield from ((video, part) for (video,), part in parts.items())

    def of(self, video: str) -> pl.DataFrame:
        """The boxes of one video; no row where it has none."""
        return self.read([video])


def no_frames(video_file: str, frame_ids: Collection[int]) -> Iterator[Frame]:
    """Where no video file is at hand."""
    return iter(())


@dataclass(frozen=True)
class ExportTables:
    """All that may be written, as it is stored; no export computes anything anew."""

    videos: pl.DataFrame
    """The columns `VIDEOS`, a row a video that has rows, in order."""
    boxes: BoxStream
    """Every valid box, in a tracklet or not, fish or not: `is_counted` and `not_fish` say so."""
    sightings: pl.DataFrame
    """The columns `SIGHTINGS`."""
    abundance: pl.DataFrame
    """The columns `ABUNDANCE`."""
    kinds: pl.DataFrame
    """The columns `KINDS`: everything that `abundance` counts, by its `kind`."""
    labels: pl.DataFrame
    """The columns `WORDS`: the current word on each tracklet that people spoke of."""
    site: Site
    """What the owner says of camera and terms; any of it may be None."""
    origin: Origin
    """Backbone, recipe and labels behind the names."""
    made_at: datetime
    """When the export is written, UTC."""
    frames: Callable[[str, Collection[int]], Iterator[Frame]] = no_frames
    """Of a video file and these of its frames, those that can be read, in order."""

    def __post_init__(self) -> None:
        """Raises ValueError for a table that lacks columns or holds others, and for a kind that nobody explains."""
        for name, columns in TABLES.items():
            given = getattr(self, name).columns
            if given != list(columns):
                raise ValueError(f"{name} of columns {given}: expected {list(columns)}")
        unexplained = set(self.abundance["kind"]) - set(self.kinds["kind"])
        if unexplained:
            raise ValueError(f"abundance counts {sorted(unexplained)[:5]}, which kinds does not know")
        if self.made_at.tzinfo is None:
            raise ValueError(f"made_at = {self.made_at}: expected a time with its zone")

    @property
    def version(self) -> str:
        """Twelve hexadecimal digits that change with the labels, the recipe or the backbone."""
        told = repr((self.origin.labels_version, self.origin.recipe, self.origin.backbone))
        return hashlib.sha256(told.encode()).hexdigest()[:12]

    @property
    def source(self) -> str:
        """Labels and version, for a format that has a line to spare."""
        return f"labels {self.origin.labels_version or 'none'}, version {self.version}"

    @property
    def recipe(self) -> str:
        """The recipe in its own words, which are JSON, in a line of a format that has room for it."""
        return f"Clusters behind the names were made by the recipe {' '.join((self.origin.recipe or 'none').split())}"

    def with_site(self, **said: object) -> "ExportTables":
        """The same of another site, for what it was not told."""
        return replace(self, site=self.site.model_copy(update=said))


TABLES: dict[str, Columns] = {
    "videos": VIDEOS,
    "sightings": SIGHTINGS,
    "abundance": ABUNDANCE,
    "kinds": KINDS,
    "labels": WORDS,
}
"""Those that are held whole, by the name that they have here; `boxes` holds `BOXES`."""
