"""The folder of HTML that a person opens by double click: one page, its sheets as plain scripts, its sprites.

```
index.html            the page; nothing of the data stands in it
page/                 its style and its code
clusters.csv          the clusters as a spreadsheet, see `clusters_table`
data/index.js         the sheets in their order, names and species
data/<sheet>.js       the tiles of a sheet, fetched when it is opened
data/<sheet>_00.jpg   their pictures, `SPRITE_TILES` a file
```

A page from a file may load scripts and pictures, and nothing else: no modules, no fetch. Here: what these files hold.
Not here: which tile stands where, see `review_sheets.py`.
"""

import json
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path, PurePosixPath
from urllib.parse import quote

import numpy as np
import polars as pl
from matplotlib.colors import to_hex

from megafish_assets.features.plots import colour_of
from megafish_assets.labels.review_pictures import SPRITE_COLUMNS, SPRITE_TILES, THUMB_PX, sprites
from megafish_assets.labels.review_sheets import TILES_AT_FIRST, TYPICAL_FIRST, Sheet

PAGE = files("megafish_assets.labels") / "review_page"

CODE = ("elements.js", "store.js", "csv.js", "tiles.js", "naming.js", "video.js", "sheets.js", "saving.js", "page.js")
"""In the order in which they need each other."""

POLICY = (
    "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; img-src 'self' file:; "
    "media-src 'self' file:; base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; "
    "trusted-types megafish-sheets"
)
"""What the page may do. The nonce is drawn anew for each folder: no name that stands in the data can know it."""

BOX_DECIMALS = 3
"""Of a label's box, px in the stretched frame: a thousandth of a pixel says where it was."""

UNPLAYED = ("avi", "mpg", "mpeg", "mts", "m2ts", "ts", "mkv", "wmv", "flv", "vob", "mxf", "3gp", "asf", "dv", "mod")
"""Endings of what no browser plays; of any other the page tries, and says if it could not."""


@dataclass(frozen=True)
class Review:
    """What the page says of all its sheets."""

    backbone: str
    recipe: str
    """JSON of the clusters' recipe."""
    fit_version: str | None
    """Of the clusters, or of the kinds where they are known."""
    made_at: str
    """ISO 8601, in UTC."""
    names: pl.DataFrame
    """Names to offer: `name`, `scientific_name`, `aphia_id`, `n`, how often it was given, `is_listed`."""
    recordings: str
    """Address of the folder of videos, as the page reaches it."""


def script(call: str, payload: Mapping[str, object]) -> bytes:
    """A script that hands a value to the page; whatever its texts hold, they stay texts."""
    text = json.dumps(payload, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    # < and > could end the script's element, where a page embeds it; JSON's own escapes say the same.
    for letter in "<>&":
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    return f"{call}({text});\n".encode("ascii")


def page_html(nonce: str, page: Traversable = PAGE, code: Sequence[str] = CODE) -> str:
    """`index.html` of a folder of templates with the data and this code, which alone may run, and its style."""
    scripts = ["data/index.js", *(f"page/{name}" for name in code)]
    elements = "\n".join(f'<script nonce="{nonce}" src="{source}" defer></script>' for source in scripts)
    html = (page / "index.html").read_text(encoding="utf-8")
    return html.replace("{policy}", POLICY.format(nonce=nonce)).replace("{nonce}", nonce).replace("{scripts}", elements)


def recordings_address(recordings: Path, folder: Path) -> str:
    """The folder of videos as the page of `folder` reaches it: from within its collection, so that both may move."""
    root = folder.parents[1]
    if recordings.is_relative_to(root):
        inner = quote(recordings.relative_to(root).as_posix())
        return f"../../{inner}"
    return recordings.as_uri()


def video_address(recordings: str, video_file: str) -> str | None:
    """A video's address; None for a name that leads out of the folder."""
    path = PurePosixPath(video_file)
    if path.is_absolute() or ".." in path.parts or not path.parts:
        return None
    return f"{recordings}/{quote(str(path), safe='/')}"


def offered_names(classes: pl.DataFrame | None, species: pl.DataFrame) -> pl.DataFrame:
    """`Review.names`: those that people gave, most often first, then the list of species in its order.

    A name that is on the list has the list's scientific name and number.
    """
    given = pl.DataFrame(schema={"name": pl.String, "scientific_name": pl.String, "n": pl.Int64})
    if classes is not None:
        by_person = classes.filter(pl.col("name_source") == "person").drop_nulls("name")
        counts = by_person.group_by("name").agg(pl.col("scientific_name").drop_nulls().first(), pl.len().alias("n"))
        given = counts.with_columns(pl.col("n").cast(pl.Int64)).sort(-pl.col("n"), "name")
    listed = species.with_row_index("line").with_columns(pl.lit(True).alias("is_listed"))
    both = given.join(listed, on="name", how="full", coalesce=True, suffix="_listed")
    names = both.with_columns(
        pl.coalesce("scientific_name_listed", "scientific_name").alias("scientific_name"),
        pl.col("n").fill_null(0),
        pl.col("is_listed").fill_null(False),
    )
    return names.sort(-pl.col("n"), "line", "name", nulls_last=True).select(
        "name", "scientific_name", "aphia_id", "n", "is_listed"
    )


def write_review(
    folder: Path,
    review: Review,
    sheets: Sequence[Sheet],
    tiles: pl.DataFrame,
    picture: Callable[[Mapping[str, object]], np.ndarray],
    on_tiles: Callable[[int], None] = lambda n: None,
) -> None:
    """Writes all files of the review; a sheet and a sprite are in memory at a time.

    `tiles` holds the columns `TILES`, sorted by sheet and position; `picture` gives the thumbnail of a tile, a row of
    them, as uint8 RGB.
    """
    build = secrets.token_hex(8)
    (folder / "data").mkdir(parents=True)
    (folder / "page").mkdir()
    for name in ("review.css", *CODE):
        (folder / "page" / name).write_bytes((PAGE / name).read_bytes())
    by_sheet = tiles.partition_by("sheet", as_dict=True, maintain_order=True)
    for sheet in sheets:
        members = by_sheet[(sheet.name,)]
        pictures = _counted(map(picture, members.iter_rows(named=True)), on_tiles)
        for number, jpeg in enumerate(sprites(pictures)):
            (folder / "data" / sprite_name(sheet.name, number)).write_bytes(jpeg)
        payload = {"build": build, "sheet": sheet.name} | _columns_of(members, review)
        (folder / "data" / f"{sheet.name}.js").write_bytes(script("megafish.sheet", payload))
    # With a byte order mark, by which a spreadsheet knows that names are in UTF-8.
    clusters_table(review, sheets).write_csv(folder / "clusters.csv", include_bom=True)
    n_units = tiles.filter(pl.col("place_id").is_null())["unit_id"].n_unique()
    index = script("megafish.collection", {"build": build, "n_units": n_units} | _index(review, sheets))
    # What the page calls is defined here: its data come before its code, which reads them once it is there.
    (folder / "data" / "index.js").write_bytes(
        b"window.megafish = {collection: data => (megafish.index = data)};\n" + index
    )
    (folder / "index.html").write_text(page_html(secrets.token_urlsafe(16)), encoding="utf-8")


def clusters_table(review: Review, sheets: Sequence[Sheet]) -> pl.DataFrame:
    """A row a cluster, by its number: how much is in it, room for its name, and the fit that it is of.

    What `cluster_labels` in `table_files.py` reads; a row without a name says nothing.
    """
    clusters = [sheet for sheet in sheets if sheet.cluster is not None and sheet.cluster >= 0]
    counts = [(one.cluster, one.kind_id, one.n_tiles, one.n_videos) for one in clusters]
    schema = dict.fromkeys(("cluster", "kind_id", "n_tracklets", "n_videos"), pl.Int64)
    return (
        pl.DataFrame(counts, schema=schema, orient="row")
        .sort("cluster")
        .with_columns(
            *(pl.lit(None, pl.String).alias(name) for name in ("name", "scientific_name", "aphia_id", "note")),
            backbone=pl.lit(review.backbone),
            recipe=pl.lit(review.recipe),
            fit_version=pl.lit(review.fit_version, pl.String),
        )
    )


def sprite_name(sheet: str, number: int) -> str:
    """The file of a sheet's tiles from `SPRITE_TILES` times this number on."""
    return f"{sheet}_{number:02d}.jpg"


def _counted(pictures: Iterator[np.ndarray], count: Callable[[int], None]) -> Iterator[np.ndarray]:
    for picture in pictures:
        yield picture
        count(1)


def _index(review: Review, sheets: Sequence[Sheet]) -> dict[str, object]:
    return {
        "backbone": review.backbone,
        "recipe": review.recipe,
        "fit_version": review.fit_version,
        "made_at": review.made_at,
        "names": review.names.rows(),
        "sheets": [asdict(sheet) | {"colour": _colour(sheet)} for sheet in sheets],
        "tile_px": THUMB_PX,
        "sprite_columns": SPRITE_COLUMNS,
        "sprite_tiles": SPRITE_TILES,
        "tiles_at_first": TILES_AT_FIRST,
        "typical_first": TYPICAL_FIRST,
        "unplayed": UNPLAYED,
    }


def _colour(sheet: Sheet) -> str:
    """That of the cluster on its montage; noise's for a sheet of none."""
    kinds = {} if sheet.kind_id is None else {sheet.cluster: sheet.kind_id}
    return to_hex(colour_of(-1 if sheet.cluster is None else sheet.cluster, kinds))


def _columns_of(tiles: pl.DataFrame, review: Review) -> dict[str, object]:
    """The tiles of one sheet, a list a column: a third of what a record a tile would take."""
    videos = tiles.select("video", "video_file").unique(maintain_order=True).with_row_index("place")
    places = tiles.join(videos, on=["video", "video_file"], how="left", maintain_order="left", nulls_equal=True)[
        "place"
    ]
    named = [
        (video, file, None if file is None else video_address(review.recordings, file))
        for video, file in videos.select("video", "video_file").iter_rows()
    ]
    boxes = tiles.select(pl.col("x_1024", "y_1024", "width_1024", "height_1024").round(BOX_DECIMALS))
    plain = ("detection_id", "tracklet_id", "frame_id", "cluster", "kind_id", "place_id", "name", "name_source")
    return {
        "videos": named,
        "video": places.to_list(),
        **{name: tiles[name].to_list() for name in plain},
        **{name: boxes[name].to_list() for name in boxes.columns},
        "seconds": tiles["seconds"].round(3).to_list(),
        "recorded_at": tiles["recorded_at"].dt.strftime("%Y-%m-%d %H:%M:%S").to_list(),
        "probability": tiles["probability"].round(3).to_list(),
    }
