"""What assets are given from the world outside: the detector's table, the video files, a place for pictures."""

import hashlib
import time
from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import av
import dagster as dg
import polars as pl
from deltalake import DeltaTable
from pydantic import Field

from megafish_assets.footage.clocks import CLIP_FRAMES, CLIP_SECONDS, Clock
from megafish_assets.footage.containers import MOST_MEGAPIXELS, ContainerTimes, UnreadableVideoError, container_times
from megafish_assets.footage.decoding import Frame, video_header, wanted_frames
from megafish_assets.footage.file_names import chapters_before, clashing_videos, keyed_videos, start_in_name
from megafish_assets.footage.recordings import IGNORED, LOCAL, TIMES, after, owners_table
from megafish_assets.orchestration.arrivals import QUIET_MINUTES, SIGNS, Completeness, arrivals, fingerprint
from megafish_assets.orchestration.detector_table import content_hashes, rows
from megafish_assets.orchestration.settings import Settings
from megafish_assets.storage.catalog import recording
from megafish_assets.storage.delta import MissingTableError, Table, masked


@dataclass(frozen=True)
class Arrivals:
    """What the detector's table holds, video by video, at one version."""

    videos: pl.DataFrame
    """As `arrivals` says, with `is_complete`."""
    version: int
    """The table's Delta version."""


@dataclass(frozen=True)
class Detected:
    """What the detector has written of some videos, all at one version of its table."""

    rows: pl.DataFrame
    """The columns that the contract names."""
    counts: pl.DataFrame
    """`video` (partition key) and `n_arrived`, counted by another read of the table than the one that gave `rows`."""
    files: dict[str, str]
    """The file of each video that has rows, by its key."""
    fingerprints: dict[str, str]
    """Of each video's rows, as `arrivals` tells them."""
    version: int
    """The table's Delta version."""


class Inference(dg.ConfigurableResource):
    """The detector's Delta table, which other programs write."""

    uri: str = Field(description="Path or object-store address of the detector's Delta table.")
    complete_when: list[str] = Field(default=list(SIGNS), description="Signs that a video is complete.")
    quiet_minutes: float = Field(default=QUIET_MINUTES, ge=0, description="Without new rows, for the sign `quiet`.")
    frames_per_clip: int = Field(default=CLIP_FRAMES, gt=0, description="Frames of a video, for `last_frame`.")
    owners_table: str | None = Field(default=None, description="`recordings.csv`, whose times are part of the rows.")
    timing: str = Field(default="", description="What else the rows' times are made from, see `Settings.timing`.")

    @classmethod
    def of(cls, settings: Settings) -> "Inference":
        """The table of a collection."""
        return cls(
            uri=settings.inference_uri,
            complete_when=settings.complete_when,
            quiet_minutes=settings.quiet_minutes,
            frames_per_clip=settings.clock.frames_per_clip,
            owners_table=str(settings.catalog.owners_table),
            timing=settings.timing,
        )

    def state(self) -> dict[str, int | str]:
        """What changes with the table, or with what is said of its files' times. Raises MissingTableError."""
        said = Path(self.owners_table or "")
        written = {"owners_table": said.stat().st_mtime_ns} if said.is_file() else {}
        return {"version": self._table().version()} | written | ({"timing": self.timing} if self.timing else {})

    def arrivals(self) -> Arrivals:
        """Every video that has rows, and whether the detector is done with it."""
        table = self._table()
        found = arrivals(table)
        videos = found.with_columns(fingerprint=self._with_times(found))
        rule = Completeness(self.complete_when, 60 * self.quiet_minutes, self.frames_per_clip)
        complete = rule.complete(videos, now_ms=1000 * time.time())
        return Arrivals(videos.with_columns(complete.alias("is_complete")), table.version())

    def n_rows_without_video(self) -> int:
        """Rows that belong to no partition: they name no video file, or one that shares its key with another."""
        names = rows(self._table(), columns=["video_file"])["video_file"].cast(pl.String)
        ours = [*keyed_videos(names).values()]
        return (~names.is_in(ours).fill_null(False)).sum()

    def clashing(self) -> list[str]:
        """The files that share a key with another, of which nothing is made."""
        return clashing_videos(rows(self._table(), columns=["video_file"])["video_file"])

    def rows_of(self, video_files: list[str]) -> pl.DataFrame:
        """The rows of these files, as the detector wrote them."""
        return rows(self._table(), video_files)

    def detected(self, keys: list[str]) -> Detected:
        """What the table holds of these videos; a key that it has no rows of gives none."""
        table, wanted = self._table(), set(keys)
        names = rows(table, columns=["video_file"])["video_file"].cast(pl.String)
        files = {file: key for key, file in keyed_videos(names).items() if key in wanted}
        counts = names.filter(names.is_in(list(files))).value_counts(name="n_arrived")
        named = counts.select(
            pl.col("video_file").replace_strict(files, return_dtype=pl.String).alias("video"),
            pl.col("n_arrived").cast(pl.Int64),
        )
        # By file name, not by key computed a row: Parquet's statistics then skip what other videos wrote.
        found = rows(table, list(files))
        prints = content_hashes(found).select("video_file", fingerprint().alias("fingerprint"))
        videos = prints["video_file"].replace_strict(files, return_dtype=pl.String)
        fingerprints = dict(zip(videos, self._with_times(prints), strict=True))
        return Detected(found, named, {key: file for file, key in files.items()}, fingerprints, table.version())

    def _with_times(self, videos: pl.DataFrame) -> pl.Series:
        """The fingerprints of these videos, with what is said of their times."""
        said = read_owners_table(self.owners_table).select(video_file="file", start="start")
        both = videos.join(said, on="video_file", how="left", maintain_order="left")
        timing = pl.lit(self.timing or None, pl.String)
        marks = pl.concat_list("fingerprint", pl.col("start").dt.to_string("iso"), timing)
        return both.select(marks.list.drop_nulls().list.join("-")).to_series()

    def _table(self) -> DeltaTable:
        try:
            return Table(self.uri).open()
        except MissingTableError:
            raise MissingTableError(
                f"no inference table: expected a Delta table at {masked(self.uri)}, found {_found_at(self.uri)}. Let "
                "the detector write there, or name its table in MEGAFISH_INFERENCE."
            ) from None


def _found_at(uri: str) -> str:
    path = Path(uri)
    if "://" in uri or not path.exists():
        return "nothing"
    return "a file" if path.is_file() else "a folder without a Delta log"


class Recordings(dg.ConfigurableResource):
    """The folder of video files, and how their numbers become times."""

    folder: str = Field(description="Folder of the video files.")
    clip_seconds: float = Field(default=CLIP_SECONDS, description="Length of one video file in seconds.", gt=0)
    frames_per_clip: int = Field(default=CLIP_FRAMES, description="Frames in one video file.", gt=0)
    recording_start: str | None = Field(default=None, description="Local time of video 0, frame 0; none if unknown.")
    owners_table: str | None = Field(default=None, description="`recordings.csv`: starts and places of files.")
    created: str = Field(default=IGNORED, description="What the creation time of a container is taken for.")
    most_megapixels: float = Field(
        default=MOST_MEGAPIXELS, description="Of a frame; larger ones are not decoded.", gt=0
    )
    number_pattern: str | None = Field(default=None, description="Where a file's name has its number; none: by camera.")

    @classmethod
    def of(cls, settings: Settings) -> "Recordings":
        """The video files of a collection."""
        clock = settings.clock
        return cls(
            folder=str(settings.recordings),
            clip_seconds=clock.clip_seconds,
            frames_per_clip=clock.frames_per_clip,
            recording_start=None if clock.recording_start is None else clock.recording_start.isoformat(),
            number_pattern=clock.number_pattern,
            owners_table=str(settings.catalog.owners_table),
            created=settings.created,
            most_megapixels=settings.most_megapixels,
        )

    def path(self, video_file: str) -> Path | None:
        """Where a video of this name lies; None for a name, or a link, that leads out of the folder."""
        return recording(self.folder, video_file)

    def size_bytes(self, video_file: str) -> int | None:
        """Of the file, None where it is not there: it tells whether another has come in its place."""
        path = self.path(video_file)
        try:
            return path.stat().st_size if path is not None and path.is_file() else None
        except OSError:  # also a name that is too long for the file system
            return None

    def size_wh_px(self, video_file: str) -> tuple[int, int] | None:
        """Width and height of a video's upright frames, in stored pixels; None where it can't be read."""
        path = self.path(video_file)
        try:
            return None if path is None else video_header(path, self.most_megapixels).size_wh_px
        except (UnreadableVideoError, av.error.FFmpegError):  # it is set aside by name where its frames are wanted
            return None

    def frames(self, video_file: str, frame_ids: Collection[int]) -> Iterator[Frame]:
        """Of these frames, those that can be read, in order."""
        path = self.path(video_file)
        try:
            yield from () if path is None else wanted_frames(path, frame_ids, most_megapixels=self.most_megapixels)
        except (UnreadableVideoError, av.error.FFmpegError):  # whoever wants them counts those that are missing
            return

    def sizes_bytes(self, files: Mapping[str, str]) -> dict[str, int]:
        """The sizes of the files that are there, by whatever names them."""
        with ThreadPoolExecutor() as pool:  # a network drive answers many at once
            found = zip(files, pool.map(self.size_bytes, files.values()), strict=True)
            return {key: size for key, size in found if size is not None}

    def clock(self) -> Clock:
        """How video and frame numbers become times."""
        start = None if self.recording_start is None else datetime.fromisoformat(self.recording_start)
        return Clock(self.clip_seconds, self.frames_per_clip, start, self.number_pattern)

    def times(self, video_files: list[str]) -> pl.DataFrame:
        """What is known of the times of these files, a row each, in the columns `TIMES`.

        Raises ValueError for a `recordings.csv` that can't be read.
        """
        said = read_owners_table(self.owners_table)
        starts = dict(said.select("file", "start").iter_rows())
        with ThreadPoolExecutor() as pool:  # a network drive answers many at once
            containers = dict(zip(video_files, pool.map(self._container_times, video_files), strict=True))
        rows = [
            (file, containers[file].frames_per_second, starts.get(file), self._file_start(file, containers))
            for file in video_files
        ]
        return pl.DataFrame(rows, {name: column.dtype for name, column in TIMES.items()}, orient="row")

    def _container_times(self, video_file: str) -> ContainerTimes:
        path = self.path(video_file)
        try:
            return ContainerTimes(None, None, None) if path is None else container_times(path, self.most_megapixels)
        except (UnreadableVideoError, av.error.FFmpegError):  # it is set aside by name where its frames are wanted
            return ContainerTimes(None, None, None)

    def _file_start(self, video_file: str, containers: dict[str, ContainerTimes]) -> datetime | None:
        """What a file's name says, or its container, if its word is taken; of chapters also those before it."""
        named, container = start_in_name(video_file), containers[video_file]
        if named is not None or self.created == IGNORED or container.created is None:
            return named
        created = container.created
        if self.created != LOCAL:
            created = created.replace(tzinfo=UTC).astimezone(ZoneInfo(self.created)).replace(tzinfo=None)
        chapters = chapters_before(video_file)
        containers |= {file: self._container_times(file) for file in chapters if file not in containers}
        earlier = [containers[file] for file in chapters]
        if earlier and earlier[0].created not in (None, container.created):
            return created  # this camera writes when the chapter began
        return after(created, [chapter.duration_seconds for chapter in earlier])


def read_owners_table(place: str | None) -> pl.DataFrame:
    """`recordings.csv`, see `owners_table`; without a row where there is none. Raises ValueError that names it."""
    path = None if place is None else Path(place)
    try:
        return owners_table(path.read_bytes() if path is not None and path.is_file() else b"")
    except ValueError as error:
        raise ValueError(f"{place}: {error}") from None


STATIONS = "stations_version"
"""In the metadata of what is counted by stations: which of them `recordings.csv` named then."""


def read_stations(place: str | None) -> dict[str, str]:
    """Where the camera stood, by file, as `recordings.csv` says."""
    return dict(read_owners_table(place).drop_nulls("station").select("file", "station").iter_rows())


def stations_version(station_of_file: Mapping[str, str]) -> str:
    """Twelve hexadecimal digits that change with the stations of files, and only then."""
    return hashlib.sha256(repr(sorted(station_of_file.items())).encode()).hexdigest()[:12]
