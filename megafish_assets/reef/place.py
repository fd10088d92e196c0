"""When and where the demo's reef was filmed, all made up: so that its report has hours, and its exports a place."""

from datetime import datetime, timedelta
from pathlib import Path

from megafish_assets.reef.plan import ReefPlan, video_name

BEGAN, APART = datetime(2025, 5, 1, 6), timedelta(minutes=50)
"""Local time of the first clip, and from one to the next: twelve are a day from dawn to afternoon."""

SITE = """[site]
title = "A synthetic reef"
abstract = "Drawn by a program for the demo of megafish: no such place, and no such fish. Not to be published."
station = "nowhere"
latitude = 18.0
longitude = -38.0
datum = "EPSG:4326"
uncertainty_m = 1000.0
depth = 12.0
time_zone = "Atlantic/South_Georgia"
institution = "megafish"
collection = "synthetic-reef"
contact = "Nobody"
email = "nobody@example.org"
licence = "CC0-1.0"
media_licence = "CC0-1.0"
sampling_design = "targeted"
capture_method = "timeLapse"
taxon = "Actinopterygii"
protocol = "A camera that pans over a drawn reef, ten seconds every fifty minutes."

[yolo]
frames = "any"
"""


def write_place(root: Path, plan: ReefPlan) -> None:
    """Writes `recordings.csv` and `megafish.toml` of a reef's folder, unless they are there."""
    starts = [BEGAN + place * APART for place in range(len(plan.video_numbers))]
    files = [f"{video_name(number)},{at.isoformat()}" for number, at in zip(plan.video_numbers, starts, strict=True)]
    for name, content in (("recordings.csv", "\n".join(["file,start", *files, ""])), ("megafish.toml", SITE)):
        if not (root / name).exists():
            (root / name).write_text(content)
