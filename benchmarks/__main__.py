"""`python -m benchmarks STAGE ...`: measures one thing, a line of JSON a case; `all` and `full` measure every stage.

What a command does not need it does not import: crops, embed, pca and kmeans_sweep run where nothing but torch, timm,
numpy, OpenCV, scikit-learn and pyarrow is installed.
"""

import argparse
import itertools
import json
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from benchmarks import report, ways

STAGES = {
    "rows": "limits, filter and sample of the detector's rows",
    "crops": "boxes cut out of videos",
    "embed": "crops through the notebook's three backbones",
    "store": "vectors to Delta",
    "pca": "principal components of a table of vectors",
    "kmeans_sweep": "inertia and silhouette for every k",
    "umap": "a layout in four dimensions",
    "tracklets": "detections joined into short tracks",
}
"""In the order of the data's flow; each a module with a `STAGE`."""


def main(arguments: list[str] | None = None) -> int:
    """Runs one measurement; 0 if it came to its end."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    commands = parser.add_subparsers(dest="stage", required=True)
    command = commands.add_parser("operation", help="what Dagster costs on the notebook's full table")
    command.add_argument("--size", type=int, help="number of videos")
    command.add_argument("--root", type=Path, help="an empty folder that is kept; default a temporary one")
    command = commands.add_parser("quality", help="how far clusters of labelled fish follow their species")
    fish = command.add_mutually_exclusive_group(required=True)
    fish.add_argument("--crops", type=Path, help="a folder with index.csv (path, species, trajectory)")
    fish.add_argument("--reef", type=Path, help="a materialised demo, such as data/demo")
    command.add_argument("--picture", type=Path, help="a JPEG of clusters side by side to be written, for --reef")
    command.add_argument("--weights", type=Path, help="a folder with the backbone's weights, for --crops")
    command.add_argument("--backbone", default="mobilenetv2", help="for --crops")
    command.add_argument("--parts", action="store_true", help="on parts of --crops instead of all of it, some minutes")
    command = commands.add_parser("not_fish", help="what is taken for growth, wiper and fish, beside the reef's truth")
    shown = command.add_mutually_exclusive_group()
    shown.add_argument("--reef", type=Path, help="a materialised demo; without it many reefs by their boxes alone")
    shown.add_argument(
        "--aquarium", type=Path, help="a folder with fish_detections.csv, of a clip of 640 x 360, 30 a second"
    )
    command = commands.add_parser("kinds", help="how far kinds keep their identity, and how many there are said to be")
    of_what = command.add_mutually_exclusive_group(required=True)
    of_what.add_argument("--reef", type=Path, help="a materialised demo, such as data/demo: while videos are added")
    of_what.add_argument("--reefs", type=Path, help="a folder to record reefs of few and many species in: how many")
    of_what.add_argument("--crops", type=Path, help="as for quality, in all and in parts: how many")
    command.add_argument("--weights", type=Path, help="a folder with the backbone's weights, for --crops")
    command.add_argument("--backbone", default="mobilenetv2", help="for --crops")
    command = commands.add_parser("names", help="how well a few labels of labelled fish name all others")
    command.add_argument("--crops", type=Path, required=True, help="as for quality")
    command.add_argument("--weights", type=Path, required=True, help="a folder with the backbone's weights")
    command.add_argument("--backbone", default="mobilenetv2")
    command = commands.add_parser("sightings", help="counts, richness and intervals, beside the reef's truth")
    command.add_argument(
        "--reef",
        type=Path,
        nargs="+",
        help="recorded reefs, by `megafish_assets.reef`: groups, headings and stays instead",
    )
    command.add_argument(
        "--named", type=Path, help="a materialised demo: counts under the platform's own names instead"
    )
    for name, what in STAGES.items():
        command = commands.add_parser(name, help=what)
        command.add_argument("--size", type=int, help="how large; default fit for two cores")
        command.add_argument("--device", default="cpu", help="cpu or cuda, for embed and kmeans_sweep")
        command.add_argument("--input", type=Path, help="a folder of an earlier input, or an empty one that is kept")
        command.add_argument("--growth", action="store_true", help="ours alone at growing sizes")
    commands.add_parser("all", help="every stage and its growth; writes the table of docs/benchmarks.md")
    commands.add_parser("full", help="the long case of every stage, ours alone; adds them to docs/benchmarks.md")
    given = parser.parse_args(arguments)
    if getattr(given, "size", None) is not None and given.size < 1:
        parser.error("--size must be at least 1")
    if getattr(given, "growth", False) and (given.size is not None or given.input is not None):
        parser.error("--growth has sizes and inputs of its own")
    if given.stage == "quality":
        return measured_quality(parser, given)
    if given.stage == "not_fish":
        from benchmarks import not_fish

        if given.aquarium is not None:
            return printed(not_fish.of_boxes_of_one_clip(given.aquarium / "fish_detections.csv", 30, (640, 360)))
        lines = not_fish.of_many_reefs() if given.reef is None else not_fish.of_a_collection(given.reef)
        return printed(lines)
    if given.stage == "kinds":
        return measured_kinds(parser, given)
    if given.stage == "names":
        return measured_names(parser, given)
    if given.stage == "sightings":
        from benchmarks import animals, named, schools, sightings

        of_boxes = itertools.chain(sightings.of_many_reefs(), animals.of_reefs())
        lines = of_boxes if given.reef is None else schools.of_recorded_reefs(given.reef)
        if given.named is not None:
            lines = named.of_a_collection(given.named)
        return printed(lines)
    if given.stage == "operation":
        return measured_operation(parser, given.root, given.size)
    if (problem := what_is_wrong(given)) is not None:
        parser.error(problem)
    try:
        return measured_stages(given)
    except ways.UnfitInputError as error:
        parser.error(str(error))
    except subprocess.CalledProcessError as error:
        print(f"`{shlex.join(error.cmd[1:])}` came to no end: see above", file=sys.stderr)
        return 1


def what_is_wrong(given: argparse.Namespace) -> str | None:
    """Of a device or an input that was asked for; None if nothing is."""
    if getattr(given, "input", None) is not None and given.input.exists() and not given.input.is_dir():
        return f"--input {given.input} is no folder"
    device = getattr(given, "device", "cpu")
    if device == "cpu":
        return None
    import torch

    cards = [f"cuda:{number}" for number in range(torch.cuda.device_count())]
    if device in ([*cards, "cuda"] if cards else []):
        return None
    return f"--device {device}: this machine has {', '.join(['cpu', *cards])}"


def measured_stages(given: argparse.Namespace) -> int:
    """Prints the line of each case, and writes them into docs/benchmarks.md if they are of all stages."""
    lines, began, mark = [], time.monotonic(), report.MARKS.get(given.stage)
    if mark is not None:
        report.around(mark)  # a page without the marks is better known before than after half an hour
    for line in cases(given):
        print(json.dumps(line), flush=True)
        lines.append(line)
    if mark is not None:
        report.written(lines, mark, time.monotonic() - began)
    return 0


def cases(given: argparse.Namespace) -> Iterator[dict]:
    """The lines of what was asked for, as they become known."""
    if given.stage == "all":
        yield from (ways.compared(name, ways.Asked()) for name in STAGES)
        for name in STAGES:
            if sizes := ways.module(name).STAGE.growth:
                yield ways.grown(name, ways.Asked(), sizes)
    elif given.stage == "full":
        for name in STAGES:
            if size := ways.module(name).STAGE.full:
                yield ways.grown(name, ways.Asked(), (size,), once=True)
    elif given.growth:
        yield ways.grown(given.stage, ways.Asked(given.device), ways.module(given.stage).STAGE.growth)
    else:
        folder = None if given.input is None else given.input.absolute()
        yield ways.compared(given.stage, ways.Asked(given.device, folder), given.size)


def measured_quality(parser: argparse.ArgumentParser, given: argparse.Namespace) -> int:
    """Its own command, since it scores what clusters say and not how long they took."""
    from benchmarks import quality
    from megafish_assets.embeddings.backbones import BACKBONES

    if given.reef is not None:
        if given.parts:
            parser.error("--parts is for --crops")
        return quality.main(quality.of_the_reef(given.reef, given.picture))
    if given.weights is None or given.backbone not in BACKBONES:
        parser.error(f"--crops needs --weights, and a --backbone out of {', '.join(BACKBONES)}")
    return quality.main(quality.of_labelled_fish(given.crops, given.weights, given.backbone, given.parts))


def printed(lines: Iterable[dict]) -> int:
    """Prints each line as JSON as it becomes known."""
    for line in lines:
        print(json.dumps(line), flush=True)
    return 0


def measured_kinds(parser: argparse.ArgumentParser, given: argparse.Namespace) -> int:
    """Its own command, since it scores what clusters mean from fit to fit, and what they are counted as."""
    from benchmarks import counts, kinds, quality
    from megafish_assets.embeddings.backbones import BACKBONES

    if given.reef is not None:
        return quality.main(kinds.of_the_reef(given.reef))
    if given.reefs is not None:
        return quality.main(counts.of_reefs(given.reefs))
    if given.weights is None or given.backbone not in BACKBONES:
        parser.error(f"--crops needs --weights, and a --backbone out of {', '.join(BACKBONES)}")
    return quality.main(counts.of_parts(given.crops, given.weights, given.backbone))


def measured_names(parser: argparse.ArgumentParser, given: argparse.Namespace) -> int:
    """Its own command too: it scores names."""
    from benchmarks import names, quality
    from megafish_assets.embeddings.backbones import BACKBONES

    if given.backbone not in BACKBONES:
        parser.error(f"--backbone out of {', '.join(BACKBONES)}")
    return quality.main(names.of_labelled_fish(given.crops, given.weights, given.backbone))


def measured_operation(parser: argparse.ArgumentParser, root: Path | None, n_videos: int | None) -> int:
    """Its own command, since it runs a whole deployment."""
    from benchmarks import operation

    n_videos = operation.VIDEOS if n_videos is None else n_videos
    if root is None:
        with tempfile.TemporaryDirectory(prefix="megafish-operation-") as folder:
            return operation.main(Path(folder), n_videos)
    if root.exists() and any(root.iterdir()):
        parser.error(f"{root} is not empty, and what lies there would be measured too")
    return operation.main(root.absolute(), n_videos)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # an exit ends what was started
    sys.exit(main())
