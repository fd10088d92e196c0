"""How a video file becomes a partition key, and what the number in its name is. No file is opened here."""

import re
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

import polars as pl

KEY_ALPHABET = r"[^A-Za-z0-9_.-]+"
"""What a key may not hold: commas break backfills in the UI, quotes and slashes break paths."""

LONGEST_KEY = 120
"""Characters. A folder of Delta's and a picture's name are a dozen longer, and hold 255 bytes at most."""

HASH_CHARACTERS = 8


def video_key(video_file: str) -> str:
    """The file's place below the recordings folder without its ending, with runs of unsafe characters as one `-`.

    Where that would leave too much out to tell files apart (letters beyond ASCII, more than `LONGEST_KEY` characters, a
    name that ends in a slash), a hash of the whole name ends the key: always the same of the same name.
    """
    parts = re.split(r"[/\\]+", video_file)
    place = "/".join(part for part in parts if part not in ("", ".", ".."))
    stem = re.sub(r"(?<=[^/])\.[^./]*$", "", place)
    key = re.sub(KEY_ALPHABET, "-", stem)
    is_whole = stem.isascii() and parts[-1] and len(key) <= LONGEST_KEY
    if is_whole and key.strip(".-"):
        return key
    digest = sha256(video_file.encode(errors="surrogatepass")).hexdigest()[:HASH_CHARACTERS]
    return "-".join(part for part in (key.strip(".-")[: LONGEST_KEY - HASH_CHARACTERS - 1], digest) if part)


def keyed_videos(video_files: pl.Series) -> dict[str, str]:
    """`{key: video_file}` in the sorted order of the keys, without files that share one, see `clashing_videos`."""
    return {key: files[0] for key, files in _by_key(video_files).items() if len(files) == 1}


def clashing_videos(video_files: pl.Series) -> list[str]:
    """The files that share a key with another, such as `fish.mp4` and `fish.avi`: which is meant, no one can tell."""
    return [file for files in _by_key(video_files).values() if len(files) > 1 for file in files]


def _by_key(video_files: pl.Series) -> dict[str, list[str]]:
    by_key: dict[str, list[str]] = {}
    for file in video_files.cast(pl.String).drop_nulls().unique().sort().to_list():
        if file:
            by_key.setdefault(video_key(file), []).append(file)
    return dict(sorted(by_key.items()))


LONGEST_COUNTER = 9
"""Digits; longer ones are times."""


@dataclass(frozen=True)
class Number:
    """The number in a file's name."""

    value: int | None
    """None without one, or where several could be meant."""
    is_clock: bool
    """Whether it counts files that follow one another without a gap, so that it tells the time."""


DATE = r"(?<!\d)(?:19|20)\d\d(?P<dash>[-_.]?)(?:0[1-9]|1[0-2])(?P=dash)(?:0[1-9]|[12]\d|3[01])"

CAMERAS = tuple(
    pattern + r"(?:[^0-9A-Z].*)?"  # and whatever somebody has put behind it
    for pattern in (
        r"G[A-Z]\d\d(?P<number>\d{4})",  # GoPro: GX020042 is chapter 2 of recording 42
        r"GOPR(?P<number>\d{4})",  # GoPro up to HERO5: its first chapter
        r"DJI_(?:\d{14}_)?(?P<number>\d{4})",
        # Counters of still cameras, phones and camcorders, after the rule for their file system (DCF) and their habit.
        r"(?:IMG_?E?|IMGP|IMAG|RIMG|HPIM|MVI|MOVI?|VID|PXL|DSC[NF]?|SAM|CIMG|PICT|PANA|SANY|MA[HQ]|CLIP|DJI|YI|YDXJ|FILE|FHD|"
        r"REC|TLC|STB|EK|OLY|MOL|CRW|SIV|HDV|LRV|HERO|GOPRO|PA|[CMP])[_-]?(?P<number>\d+)",
        r"(?P<number>\d{5})",  # AVCHD: 00012.MTS
    )
)
"""Names whose number counts recordings of any length, hours apart: it tells no time."""

ONE_NUMBER = r"[A-Z][^0-9]*(?P<number>[0-9]{1,5})(?:[^0-9A-Z][^0-9]*)?"
"""Behind a name, with no unit, and too short for a date or a time of day: `reef_1080p`, `reef_31122024` and `133000`
are no numbers of a video."""

YEAR = r"(?:19|20)[0-9]{2}"
"""Whether `dive_2024` is the 2,025th file or of that year, its name does not tell."""

NO_COUNT = frozenset(
    [
        "cam",
        "camera",
        "channel",
        "ch",
        "day",
        "week",
        "month",
        "year",
        "depth",
        "temp",
        "site",
        "station",
        "stn",
        "st",
        "transect",
        "quadrat",
        "replicate",
        "rep",
        "drop",
        "deployment",
        "dep",
        "haul",
        "trawl",
        "tank",
        "pond",
        "box",
        "bruv",
        "dive",
        "diver",
        "zone",
        "plot",
        "block",
        "lane",
        "run",
        "trip",
        "cruise",
        "leg",
    ]
)
"""Words whose number counts places, days or quantities: `depth_25` and `cam_2` are not the 26th and the 3rd file."""


def video_number(video_file: str, own_pattern: str | None = None) -> Number:
    """The number in the name of a file, by its own pattern, where one is given, or by what cameras write.

    `own_pattern` is a regular expression whose first group is the number; a name that it does not match has none.
    `megalab_0012` is 12 and a clock: a name, and behind it the only number. One with a date or with several numbers has
    none: one of them would give a plausible, wrong time.
    """
    stem = re.sub(r"(?<=.)\.[^.]*$", "", re.split(r"[/\\]", video_file)[-1])
    if own_pattern is not None:
        found = re.search(own_pattern, stem)
        digits = found.group(1) if found else None
        is_number = digits is not None and re.fullmatch(r"\d{1,9}", digits, re.ASCII)
        return Number(int(digits) if is_number else None, is_clock=True)
    for camera in CAMERAS:
        if found := re.fullmatch(camera, stem, re.IGNORECASE | re.ASCII):
            is_date = re.match(DATE, found["number"]) or len(found["number"]) > LONGEST_COUNTER
            return Number(None if is_date else int(found["number"]), is_clock=False)
    found = None if re.search(DATE, stem) else re.fullmatch(ONE_NUMBER, stem, re.IGNORECASE)
    is_number = found is not None and not re.fullmatch(YEAR, found["number"]) and not _counts_no_files(stem)
    return Number(int(found["number"]) if is_number else None, is_clock=True)


def _counts_no_files(stem: str) -> bool:
    """Whether the word before the number says that it counts something else."""
    word = re.search(r"([a-z]+)[^a-z0-9]*[0-9]", stem, re.IGNORECASE | re.ASCII)
    return word is not None and word[1].lower() in NO_COUNT


NAMED_MOMENT = re.compile(
    r"(?<!\d)((?:19|20)\d\d)([-_.]?)(0[1-9]|1[0-2])\2(0[1-9]|[12]\d|3[01])"  # 2024-12-31, or without dashes
    r"[-_.T ]{0,3}"
    r"([01]\d|2[0-3])(?:h([0-5]\d)m([0-5]\d)|([-_.:]?)([0-5]\d)\8([0-5]\d))"  # 13h30m00, 13-30-00, or without
    r"(?:\d{3})?(?!\d)",  # milliseconds
    re.ASCII,
)

OTHERWISE_MEANT = re.compile(
    r"[a-z]|(?:[.,]\d+)?[ _-]?(?:[ap]\.?m(?![a-z])|z(?![a-z])|utc|gmt)|[+-]\d|[-_ .](?:part|pt|p)?\d{1,5}(?!\d)",
    re.IGNORECASE | re.ASCII,
)
"""What may stand behind such a moment and make it another: half a day, another zone, a unit, the part of a recording
whose first part alone began then."""

EACH_ITS_OWN = re.compile(r"DJI_\d{14}_\d{4}", re.ASCII)
"""DJI's number behind the time counts files, each of which bears its own."""

COUNTED_FROM_MIDNIGHT = re.compile(r"[-_. ]00\d{4}$", re.ASCII)
"""Six digits behind a date that may be a counter's, `cam_20250601_000012`, or of the hour after midnight."""

UTC_NAMES = "PXL_"
"""Google's phones write another time into names than the clock on the wall shows."""


def start_in_name(video_file: str) -> datetime | None:
    """The local time that a file's name holds, to the second, as `reef_20241231_133000.mp4`; None where it holds none,
    or several."""
    stem = re.sub(r"(?<=.)\.[^.\d][^.]*$", "", re.split(r"[/\\]", video_file)[-1])
    found = list(NAMED_MOMENT.finditer(stem))
    if len(found) != 1 or UTC_NAMES in stem.upper() or COUNTED_FROM_MIDNIGHT.search(found[0][0]):
        return None
    if OTHERWISE_MEANT.match(stem, found[0].end()) and not EACH_ITS_OWN.match(stem):
        return None
    year, _, month, day, hour, minute, second, _, bare_minute, bare_second = found[0].groups()
    try:
        return datetime(*map(int, (year, month, day, hour, minute or bare_minute, second or bare_second)))
    except ValueError:  # the 30th of February
        return None


GOPRO = re.compile(r"((?:.*[^A-Z])?)(G[A-Z])(\d\d)(\d{4})((?:\D.*)?)", re.IGNORECASE | re.ASCII)
"""With whatever somebody has put before and behind it."""


def chapters_before(video_file: str) -> list[str]:
    """The files in which the same recording of a GoPro camera began, in their order; none of any other file.

    All chapters of a recording bear the time at which it began. Source: GoPro's file naming convention; mapillary_tools
    issue 505 for the time.
    """
    place, name = re.fullmatch(r"(.*?)([^/\\]*)", video_file, re.DOTALL).groups()
    found = GOPRO.fullmatch(name)
    if found is None:
        return []
    before, family, chapter, number, ending = found.groups()
    place += before
    if family.upper() == "GP":  # up to HERO5: GOPR0042, then GP010042
        gopr = "GOPR" if family.isupper() else "gopr"
        first = [f"{place}{gopr}{number}{ending}"]
        return first + [f"{place}{family}{earlier:02d}{number}{ending}" for earlier in range(1, int(chapter))]
    return [f"{place}{family}{earlier:02d}{number}{ending}" for earlier in range(1, int(chapter))]
