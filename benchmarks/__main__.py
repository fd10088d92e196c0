"""`python -m benchmarks STAGE ...`: measures one thing, a line of JSON a case; `all` and `full` measure every stage."""

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks import operation, quality, report, ways
from megafish_assets.embeddings.backbones import BACKBONES

STAGES = ("rows", "crops", "embed", "pca", "kmeans_sweep", "umap")
"""In the order of the data's flow; each a module with a `STAGE`."""


def main(arguments: list[str] | None = None) -> int:
    """Runs one measurement; 0 if it came to its end."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    commands = parser.add_subparsers(dest="stage", required=True)
    command = commands.add_parser("operation", help=operation.__doc__.splitlines()[0])
    command.add_argument("--size", type=int, default=operation.VIDEOS, help="number of videos")
    command.add_argument("--root", type=Path, help="an empty folder that is kept; default a temporary one")
    command = commands.add_parser("quality", help=quality.__doc__.splitlines()[0])
    command.add_argument(
        "--crops", type=Path, required=True, help="a folder with index.csv (path, species, trajectory)"
    )
    command.add_argument("--weights", type=Path, required=True, help="a folder with the backbone's weights")
    command.add_argument("--backbone", choices=sorted(BACKBONES), default="mobilenetv2")
    for name in STAGES:
        command = commands.add_parser(name, help=ways.module(name).__doc__.splitlines()[0])
        command.add_argument("--size", type=int, help=f"number of {ways.module(name).STAGE.unit.removeprefix('n_')}")
        command.add_argument("--growth", action="store_true", help="ours alone at growing sizes")
    commands.add_parser("all", help="every stage and its growth; writes the table of docs/benchmarks.md")
    commands.add_parser("full", help="the long case of every stage, ours alone")
    given = parser.parse_args(arguments)
    if given.stage == "quality":
        return quality.main(given.crops, given.weights, given.backbone)
    if getattr(given, "size", None) is not None and given.size < 1:
        parser.error("--size must be at least 1")
    if given.stage == "operation":
        return measured_operation(parser, given.root, given.size)
    lines = []
    for line in measured(given):
        print(json.dumps(line), flush=True)
        lines.append(line)
    if given.stage == "all":
        report.written(lines)
    return 0


def measured(given: argparse.Namespace) -> Iterator[dict]:
    """The lines of what was asked for, as they become known."""
    if given.stage == "all":
        yield from (ways.compared(name) for name in STAGES)
        yield from (
            ways.grown(name, ways.module(name).STAGE.growth) for name in STAGES if ways.module(name).STAGE.growth
        )
    elif given.stage == "full":
        yield from (ways.grown(name, (ways.module(name).STAGE.full,)) for name in STAGES)
    elif given.growth:
        yield ways.grown(given.stage, ways.module(given.stage).STAGE.growth)
    else:
        yield ways.compared(given.stage, given.size)


def measured_operation(parser: argparse.ArgumentParser, root: Path | None, n_videos: int) -> int:
    """Its own command, since it runs a whole deployment."""
    if root is None:
        with tempfile.TemporaryDirectory(prefix="megafish-operation-") as folder:
            return operation.main(Path(folder), n_videos)
    if root.exists() and any(root.iterdir()):
        parser.error(f"{root} is not empty, and what lies there would be measured too")
    return operation.main(root.absolute(), n_videos)


if __name__ == "__main__":
    sys.exit(main())
