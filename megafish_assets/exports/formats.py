"""Every export, one line each."""

from megafish_assets.exports.darwin_core_archive import missing_for_archive, read_darwin_core, write_darwin_core
from megafish_assets.exports.darwin_core_rules import faults_of_darwin_core
from megafish_assets.exports.spreadsheet import read_spreadsheet, write_spreadsheet
from megafish_assets.exports.writing import Export

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
    )
}
"""By name."""
