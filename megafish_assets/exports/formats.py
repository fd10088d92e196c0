"""Every export, one line each."""

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
    )
}
"""By name."""
