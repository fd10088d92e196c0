"""How a video file becomes a partition key. No file is opened here."""

import polars as pl

KEY_ALPHABET = r"[^A-Za-z0-9_.-]+"
"""What a key may not hold: commas break backfills in the page, quotes and slashes break paths."""


class ClashingVideosError(ValueError):
    """Two files would share one partition key."""


def video_key(video_file: pl.Expr) -> pl.Expr:
    """The file's stem with every run of unsafe characters turned into one `-`."""
    name = video_file.str.replace(r"^.*[/\\]", "")
    return name.str.replace(r"(.)\.[^.]*$", "$1").str.replace_all(KEY_ALPHABET, "-")


def video_number(key: pl.Expr) -> pl.Expr:
    """The number in the key (`megalab_0012` is 12); null without one, with several, or with more than 9 digits."""
    return key.str.extract(r"^\D*(\d{1,9})\D*$").cast(pl.Int64)


def video_of(detection_id: pl.Expr) -> pl.Expr:
    """The partition key that a `detection_id` begins with."""
    return detection_id.str.extract(r"^([^/]+)/")


def keyed_videos(video_files: pl.Series) -> dict[str, str]:
    """`{key: video_file}` in the sorted order of the keys.

    Raises ClashingVideosError, naming both files, where two share a key.
    """
    files = video_files.drop_nulls().unique().sort()
    keyed = pl.DataFrame({"file": files}).with_columns(key=video_key(pl.col("file"))).sort("key", "file")
    clashes = keyed.filter(pl.col("key").is_duplicated())
    if clashes.height:
        names = ", ".join(repr(name) for name in clashes["file"].head(6))
        raise ClashingVideosError(
            f"{clashes.height} video files share a partition key ({clashes['key'][0]!r} first): {names}. "
            "Keys are the files' stems without folders, endings and unsafe characters; rename one of each."
        )
    return dict(zip(keyed["key"], keyed["file"], strict=True))
