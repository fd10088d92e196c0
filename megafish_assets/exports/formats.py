"""Every export, one line each."""

from megafish_assets.exports.camtrap_package import (
    faults_of_camtrap_dp,
    missing_for_package,
    read_camtrap_dp,
    write_camtrap_dp,
)
from megafish_assets.exports.coco import read_coco, write_coco
from megafish_assets.exports.darwin_core_archive import missing_for_archive, read_darwin_core, write_darwin_core
from megafish_assets.exports.darwin_core_rules import faults_of_darwin_core
from megafish_assets.exports.global_archive import (
    faults_of_global_archive,
    missing_for_archive_of_counts,
    read_global_archive,
    write_global_archive,
)
from megafish_assets.exports.spreadsheet import read_spreadsheet, write_spreadsheet
from megafish_assets.exports.viame_csv import read_viame_csv, write_viame_csv
from megafish_assets.exports.writing import Export
from megafish_assets.exports.yolo import read_yolo, write_yolo

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
            faults_of_darwin_core,
        ),
        Export(
            "camtrap_dp",
            "Deployments, media and observations as a data package for camera traps (Camtrap DP 1.0.2).",
            write_camtrap_dp,
            read_camtrap_dp,
            missing_for_package,
            faults_of_camtrap_dp,
        ),
        Export(
            "coco",
            "Boxes with tracks, videos and names as COCO's JSON, for training and for FiftyOne, CVAT or kwcoco.",
            write_coco,
            read_coco,
        ),
        Export(
            "viame_csv",
            "Boxes and tracks as a CSV a video, for VIAME and DIVE.",
            write_viame_csv,
            read_viame_csv,
        ),
        Export(
            "yolo",
            "One frame a second with its boxes, for training with Ultralytics.",
            write_yolo,
            read_yolo,
        ),
        Export(
            "global_archive",
            "MaxN a clip with its points and samples, for GlobalArchive and CheckEM.",
            write_global_archive,
            read_global_archive,
            missing_for_archive_of_counts,
            faults_of_global_archive,
        ),
    )
}
"""By name."""
