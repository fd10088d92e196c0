"""What can be known to go wrong before hours are spent on it: looked at in seconds, before the first asset.

Here: packages, weights, video files, the space of the boxes, the frames' numbers, the disk. Not here: what only the
rows themselves show, which their checks judge.
"""

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path

import polars as pl
from packaging.requirements import Requirement

from megafish_assets.crops.contact_sheet import CAN_NOT_BE_READ, contact_sheet, spread
from megafish_assets.detections.faults import valid_rows
from megafish_assets.detections.raw import raw_detections
from megafish_assets.embeddings.backbones import Backbone, chosen_backbones
from megafish_assets.embeddings.weights import find_weights, is_on_the_hub, missing_weights
from megafish_assets.footage.box_space import misread_boxes, misread_frames
from megafish_assets.footage.clocks import Clock
from megafish_assets.footage.decoding import frame_index, video_header
from megafish_assets.footage.file_names import video_number
from megafish_assets.footage.recordings import OWNERS_TABLE, unread_columns
from megafish_assets.orchestration.settings import Settings
from megafish_assets.orchestration.sources import Inference, Recordings, read_owners_table

LOOKED_AT = 10
"""Videos of which the header is read and some frames are drawn, spread over the collection."""

LEAST_FREE_GB = 1.0
"""Of the disk: crops, vectors and the history of a few hundred videos."""

CLIP_TOLERANCE = 0.02
"""Of a clip's length: 1,589 clips that are so much longer than they are taken for end five minutes late."""

NAMED = 5

MOST_COUNTED = 2_000
"""Frames that are decoded to be counted, where a container's word would be the only one against a table: some seconds
to a minute of large ones."""


@dataclass
class Preflight:
    """What was found."""

    refusals: list[str] = field(default_factory=list)
    """Each says what is wrong and what to do; nothing should be made before it is mended."""
    warnings: list[str] = field(default_factory=list)
    sheet: Path | None = None
    """A picture of some frames with the detector's boxes, for a person to look at."""


def preflight(videos: pl.DataFrame, inference: Inference, settings: Settings, trusts_boxes: bool = False) -> Preflight:
    """Looks at everything once; `videos` as `Inference.arrivals` tells them.

    `trusts_boxes` leaves out what the numbers of boxes and frames say. The sheet is drawn before a collection's first
    asset only.
    """
    found = Preflight()
    found.refusals += _versions()
    found.refusals += _weights(chosen_backbones(settings.backbones), settings.weights)
    _owners_table(settings.catalog.owners_table, videos["video_file"], found)
    _numbers(settings.clock.number_pattern, videos["video_file"], found)
    recordings = Recordings.of(settings)
    paths = _paths(videos, recordings, found)
    some = spread(sorted(paths), LOOKED_AT)
    sizes, n_frames = {}, {}
    for file in some:
        try:
            header = video_header(paths[file], settings.most_megapixels)
        except CAN_NOT_BE_READ:
            continue
        sizes[file] = header.size_wh_px
        if header.n_frames is not None:
            n_frames[file] = header.n_frames
    if settings.clock.recording_start is not None:
        _lengths(settings.clock, n_frames, recordings, found)
    rows = inference.rows_of(list(sizes))
    if not trusts_boxes:
        mistakes = misread_boxes(rows, sizes), _misread_frames(_ends(rows), n_frames, paths)
        found.refusals += [
            f"{why}\nIf they are right as they are: make materialise TRUST=boxes" for why in mistakes if why
        ]
    found.refusals += _disk(settings.root)
    if not found.refusals and not settings.catalog.tables.exists():
        valid = valid_rows(raw_detections(rows, Clock(1, 1, None)))
        sheet = contact_sheet({file: paths[file] for file in sizes}, valid, settings.most_megapixels)
        if sheet is not None:
            found.sheet = settings.catalog.first_look
            found.sheet.parent.mkdir(parents=True, exist_ok=True)
            found.sheet.write_bytes(sheet)
    return found


def _versions() -> Iterator[str]:
    """Packages that are missing, or of other versions than what uses them can work with."""
    for user in ("megafish_assets", "torchvision"):
        for text in metadata.requires(user) or ():
            needed = Requirement(text)
            if needed.marker is not None and not needed.marker.evaluate({"extra": ""}):
                continue
            try:
                installed = metadata.version(needed.name)
            except metadata.PackageNotFoundError:
                yield f"{needed.name} is not installed, which {user} needs: run make again, or pip install -e ."
                continue
            if not needed.specifier.contains(installed, prereleases=True):
                wanted = f"{needed.name}{needed.specifier}"
                yield f"{user} needs {wanted}, and {installed} is installed: pip install '{wanted}'"


def _weights(backbones: Sequence[Backbone], folder: Path | None) -> Iterator[str]:
    found = [find_weights(backbone, folder) for backbone in backbones]
    with ThreadPoolExecutor() as pool:  # the hub is asked once, however many questions there are
        there = pool.map(lambda weights: weights.path is not None or is_on_the_hub(weights), found)
    for weights, is_there in zip(found, there, strict=True):
        if not is_there:
            yield missing_weights(weights)
        elif weights.path is not None and not weights.path.is_file():
            yield f"no weights at {weights.path}"


def _owners_table(path: Path, video_files: pl.Series, found: Preflight) -> None:
    """Whether `recordings.csv`, which could be read, meets the files that it should."""
    said = read_owners_table(str(path))
    unread = unread_columns(path.read_bytes()) if path.is_file() else []
    if unread:
        found.warnings.append(
            f"{path}: nobody reads the columns {', '.join(map(repr, unread[:NAMED]))}, only {', '.join(OWNERS_TABLE)}"
        )
    strange = said["file"].filter(~said["file"].is_in(video_files.to_list())).to_list()
    if strange:
        named = ", ".join(map(repr, strange[:NAMED]))
        found.warnings.append(f"{path}: {len(strange)} of {said.height} files are not in the inference table: {named}")


def _numbers(pattern: str | None, video_files: pl.Series, found: Preflight) -> None:
    """Whether a pattern of the user's own finds numbers."""
    if pattern is not None and all(video_number(file, pattern).value is None for file in video_files):
        found.warnings.append(
            f"MEGAFISH_NUMBER = {pattern!r} finds no number in any name, such as {video_files[0]!r}: its first group "
            "should be one"
        )


def _lengths(clock: Clock, n_frames: Mapping[str, int], recordings: Recordings, found: Preflight) -> None:
    """Whether videos last as long as the time from one number to the next."""
    for file, rate in recordings.times(list(n_frames)).select("video_file", "frames_per_second").iter_rows():
        if rate is None or not video_number(file, clock.number_pattern).is_clock:
            continue
        seconds = n_frames[file] / rate
        if abs(seconds - clock.clip_seconds) > CLIP_TOLERANCE * clock.clip_seconds:
            found.warnings.append(
                f"{file!r} lasts {seconds:.4g} s, and MEGAFISH_CLIP_SECONDS is {clock.clip_seconds:g}: the times of "
                "day that MEGAFISH_RECORDING_START and the videos' numbers give drift away from the clock"
            )
            return


def _disk(root: Path) -> Iterator[str]:
    place = next(folder for folder in (root, *root.parents) if folder.exists())
    if not os.access(place, os.W_OK):
        yield f"{place} can't be written to by this user: tables and pictures would lie below it"
    free_gb = shutil.disk_usage(place).free / 1e9
    if free_gb < LEAST_FREE_GB:
        yield f"{place} has {free_gb:.2f} GB left, less than {LEAST_FREE_GB:g}: free some first"


def _paths(videos: pl.DataFrame, recordings: Recordings, found: Preflight) -> dict[str, Path]:
    """The video files that are there."""
    paths = {file: recordings.path(file) for file in videos["video_file"]}
    there = {file: path for file, path in paths.items() if recordings.size_bytes(file) is not None}
    gone = sorted(paths.keys() - there.keys())
    if gone:
        message = f"{len(gone)} of {len(paths)} video files are not there: {', '.join(map(repr, gone[:NAMED]))}"
        first = paths[gone[0]]
        place = f"{gone[0]!r} was looked for at {first}" if first else f"{gone[0]!r} lies outside {recordings.folder}"
        message = f"{message}. {place}; names are paths below MEGAFISH_RECORDINGS ({recordings.folder})"
        (found.warnings if there else found.refusals).append(message)
    return there


def _misread_frames(ends: pl.DataFrame, n_frames: dict[str, int], paths: Mapping[str, Path]) -> str | None:
    """What is wrong with the frame ids, by frames that were counted where a container's number would decide."""
    if misread_frames(ends, n_frames) is None:
        return None
    last = dict(ends.select("video_file", "last_frame").iter_rows())
    decisive = sorted((n, file) for file, n in n_frames.items() if last.get(file) == n)
    n_left = MOST_COUNTED
    for n, file in decisive:
        if n <= n_left:
            n_left -= n
            try:
                n_frames = n_frames | {file: frame_index(paths[file]).n_frames}
            except CAN_NOT_BE_READ:
                continue
    return misread_frames(ends, n_frames)


def _ends(rows: pl.DataFrame) -> pl.DataFrame:
    """The first and last frame of each video with a box."""
    frame = pl.col("frame_id").cast(pl.Int64, strict=False)
    ends = rows.group_by("video_file").agg(frame.min().alias("first_frame"), frame.max().alias("last_frame"))
    return ends.drop_nulls()
