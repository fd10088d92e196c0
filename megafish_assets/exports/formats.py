"""Every export, one line each."""

from megafish_assets.exports.camtrap_package import (
    missing_for_package,
    read_camtrap_dp,
    write_camtrap_dp,
)
from megafish_assets.exports.coco import read_coco, write_coco
from megafish_assets.exports.darwin_core_archive import missing_for_archive, write_darwin_core
from megafish_assets.exports.darwin_core_rules import read_darwin_core
from megafish_assets.exports.global_archive import (
    missing_for_global_archive,
    read_global_archive,
    write_global_archive,
)
from megafish_assets.exports.spreadsheet import read_spreadsheet, write_spreadsheet
from megafish_assets.exports.viame_csv import read_viame_csv, write_viame_csv
from megafish_assets.exports.writing import Export
from megafish_assets.exports.yolo import missing_for_yolo, read_yolo, write_yolo

EXPORTS: dict[str, Export] = {
    export.name: export
    for export in (
        Export(
            "spreadsheet",
            "Sightings, counts, kinds and labels for Excel, LibreOffice and R, with a sheet that explains each column.",
            write_spreadsheet,
            read_spreadsheet,
            every_night=True,
        ),
        Export(
            "darwin_core",
            "Events, occurrences and measurements as an archive for OBIS and GBIF.",
            write_darwin_core,
            read_darwin_core,
            missing_for_archive,
        ),
        Export(
            "camtrap_dp",
            "Deployments, media and observations as a data package for camera traps (Camtrap DP 1.0.2).",
            write_camtrap_dp,
            read_camtrap_dp,
            missing_for_package,
        ),
        Export(
            "coco",
            "Boxes with tracks, names and scores as COCO with kwcoco's videos, for training and for other viewers.",
            write_coco,
            read_coco,
        ),
        Export(
            "viame_csv",
            "Boxes with tracks and names for VIAME and DIVE, a CSV a video.",
            write_viame_csv,
            read_viame_csv,
        ),
        Export(
            "yolo",
            "Some frames as pictures with their labels, to train Ultralytics' detectors.",
            write_yolo,
            read_yolo,
            missing_for_yolo,
        ),
        Export(
            "global_archive",
            "MaxN of every clip for GlobalArchive and CheckEM, as counts and as EventMeasure's points.",
            write_global_archive,
            read_global_archive,
            missing_for_global_archive,
        ),
    )
}
"""By name."""
