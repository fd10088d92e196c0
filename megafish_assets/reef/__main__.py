"""Command line: `python -m megafish_assets.reef FOLDER`. Reads arguments, prints progress, and nothing
else."""

import argparse
import sys
from pathlib import Path

from megafish_assets.reef.plan import ReefPlan
from megafish_assets.reef.recording import OtherReefError, write_reef


def size_wh_px(text: str) -> tuple[int, int]:
    """Width and height from `1280x720`."""
    width, _, height = text.partition("x")
    return int(width), int(height)


def parse(arguments: list[str] | None = None) -> tuple[Path, ReefPlan]:
    """Folder and plan from the command line."""
    usual = ReefPlan()
    parser = argparse.ArgumentParser(prog="python -m megafish_assets.reef", description="Record a synthetic reef.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--videos", type=int, default=usual.videos)
    parser.add_argument("--frames", type=int, default=usual.frames, help="frames in each video")
    parser.add_argument("--fps", type=int, default=usual.fps)
    parser.add_argument("--size", type=size_wh_px, default=usual.size_wh_px, help="WIDTHxHEIGHT in pixels, both even")
    parser.add_argument("--seed", type=int, default=usual.seed)
    parser.add_argument("--first-video", type=int, default=usual.first_video, help="number of the first video")
    parser.add_argument("--species", type=int, default=usual.species, help="of fish, drawn by the seed")
    parser.add_argument("--still", action="store_true", help="a camera that does not pan")
    parser.add_argument("--resting", type=float, default=usual.resting_share, help="share of the animals that rest")
    given = parser.parse_args(arguments)
    try:
        recorded = given.videos, given.frames, given.fps, given.size, given.seed, given.first_video
        plan = ReefPlan(*recorded, given.species, not given.still, given.resting)
    except ValueError as wrong:
        parser.error(str(wrong))
    return given.folder, plan


def main() -> int:
    """Records the reef; 0 when it is there, 1 when another one is in the way."""
    folder, plan = parse()
    try:
        write_reef(folder, plan, on_progress=lambda line: print(line, flush=True))
    except OtherReefError as wrong:
        print(wrong, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
