"""The table of what the report shows, a row a kind."""

import polars as pl

from megafish_assets.atlas.columns import REPORT
from megafish_assets.atlas.report_content import Kind
from megafish_assets.atlas.report_pictures import MaxNFrame, Pictures

NO_FRAME = MaxNFrame(None, 0, None)


def report_table(kinds: tuple[Kind, ...], pictures: Pictures) -> pl.DataFrame:
    """The columns `REPORT`, in the order of the page."""
    rows = [
        {
            "rank": rank,
            "kind": kind.name,
            "scientific_name": kind.scientific_name,
            "kind_id": kind.kind_id,
            "max_n": kind.max_n,
            "mean_count": kind.mean_count,
            "station": kind.station,
            "n_tracklets": kind.n_tracklets,
            "n_clips": kind.n_clips,
            "detection_id": kind.crops[0] if kind.crops else None,
            "max_n_video": kind.max_n_video,
            "max_n_frame": kind.max_n_frame,
            "n_boxes_shown": pictures.frames[kind.name].n_boxes if _is_shown(kind, pictures) else None,
        }
        for rank, kind in enumerate(kinds, 1)
    ]
    return pl.DataFrame(rows, {name: column.dtype for name, column in REPORT.items()})


def _is_shown(kind: Kind, pictures: Pictures) -> bool:
    return pictures.frames.get(kind.name, NO_FRAME).jpeg is not None
