"""`python -m benchmarks operation [--size N] [--root DIR]`: measures one thing, a line of JSON a case."""

import argparse
import sys
import tempfile
from pathlib import Path

from benchmarks import operation


def main(arguments: list[str] | None = None) -> int:
    """Runs one measurement; 0 if it came to its end."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    stages = parser.add_subparsers(dest="stage", required=True)
    stage = stages.add_parser("operation", help=operation.__doc__.splitlines()[0])
    stage.add_argument("--size", type=int, default=operation.VIDEOS, help="number of videos")
    stage.add_argument("--root", type=Path, help="an empty folder that is kept; default a temporary one")
    given = parser.parse_args(arguments)
    if given.size < 1:
        parser.error("--size must be at least 1")
    if given.root is None:
        with tempfile.TemporaryDirectory(prefix="megafish-operation-") as folder:
            return operation.main(Path(folder), given.size)
    root = given.root.absolute()
    if root.exists() and any(root.iterdir()):
        parser.error(f"{root} is not empty, and what lies there would be measured too")
    return operation.main(root, given.size)


if __name__ == "__main__":
    sys.exit(main())
