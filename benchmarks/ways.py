"""Two ways to one result, each in a process of its own: seconds, memory, and how far the results lie apart.

A module of a stage says how its input is made, what each way does with it, and how results are compared.
"""

import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

REPOSITORY = Path(__file__).parents[1]
OURS = "ours"
SIZE = "size.txt"
"""In the folder of an input, written last: its size, and what wrote it."""
MEASURED_PACKAGES = ("torch", "timm", "numpy", "scikit-learn", "umap-learn", "polars", "av", "opencv-python-headless")
KIB = 1024
"""The kernel's `kB`."""
Result = Mapping[str, np.ndarray]


class UnfitInputError(ValueError):
    """A folder that was named as input holds something else, or half of it."""


@dataclass(frozen=True)
class Stage:
    """One thing that is done in two ways or more, `ours` among them."""

    write: Callable[[Path, int], None]
    """Writes the input of a size into a folder. Not timed."""
    load: Callable[[Path, str], Any]
    """What every way is given, from that folder and for a device. Not timed."""
    ways: Mapping[str, Callable[[Any], Result]]
    compare: Callable[[Result, Result], dict[str, float]]
    """How far ours is from another way's result, in numbers that are 0 or small if they agree."""
    size: int
    """Of the comparison, fit for two cores."""
    unit: str
    """What the size counts."""
    growth: tuple[int, ...] = ()
    """Sizes of ours alone, each twice the one before."""
    full: int | None = None
    """The long case, if there is one."""
    repeats: Mapping[str, int] = field(default_factory=dict)
    """Timed runs after the first; 3 of each way of ours and 1 of any other unless named."""
    beside: Mapping[str, str] = field(default_factory=dict)
    """For a way that is not compared with `ours`, the one of our ways that it is compared with."""

    def our_way(self, way: str) -> str:
        """The way of ours that this one is compared with."""
        return way if way.startswith(OURS) else self.beside.get(way, OURS)


@dataclass(frozen=True)
class Asked:
    """Where and on what a stage is measured."""

    device: str = "cpu"
    """As torch names it; stages that know no device run on the CPU."""
    folder: Path | None = None
    """Where the input lies, or is written and kept; None for a folder that goes afterwards."""


def compared(name: str, asked: Asked, size: int | None = None) -> dict:
    """Every way of a stage at one size, and how far each is from ours; seconds are the median of warm runs."""
    stage = module(name).STAGE
    size = stage.size if size is None else size
    with written(name, size, asked.folder) as folder:
        size = int((folder / SIZE).read_text().split()[0])
        ways = {way: measured(name, way, folder, asked.device) for way in stage.ways}
        results = {way: dict(np.load(folder / f"{way}.npz")) for way in ways}
    line = {"stage": name, "case": "compared", stage.unit: size, "device": asked.device}
    for way, figures in ways.items():
        beside = stage.our_way(way)
        line[way] = figures | ({} if way == beside else judged(stage, figures, results[way], ways, results, beside))
    return line | {"machine": machine(asked.device), "versions": versions()}


def judged(stage: Stage, figures: dict, result: Result, ways: dict, results: dict, beside: str) -> dict:
    """How many times as long another way takes, and how far its result is from ours."""
    difference = stage.compare(results[beside], result)
    return {
        "beside": beside,
        "ours_is_faster_by": round(figures["seconds"] / ways[beside]["seconds"], 2),
        "difference": {name: float(f"{value:.3g}") for name, value in difference.items()},
    }


def grown(name: str, asked: Asked, sizes: tuple[int, ...], once: bool = False) -> dict:
    """Ours alone at growing sizes; `once` for long cases, whose first run is told."""
    stage, cases = module(name).STAGE, []
    for size in sizes:
        with written(name, size, None) as folder:
            cases.append({stage.unit: size} | measured(name, OURS, folder, asked.device, once))
    line = {"stage": name, "case": "growth", "device": asked.device, "cases": cases}
    return line | {"machine": machine(asked.device), "versions": versions()}


@contextmanager
def written(name: str, size: int, folder: Path | None) -> Iterator[Path]:
    """A folder with the input of this size; one that was written earlier is taken as it is.

    Raises UnfitInputError.
    """
    writer = module(name).STAGE.write
    with tempfile.TemporaryDirectory(prefix=f"megafish-{name}-") as folder_name:
        place = Path(folder_name) if folder is None else folder
        place.mkdir(parents=True, exist_ok=True)
        if not any(place.iterdir()):
            writer(place, size)
            (place / SIZE).write_text(f"{size} {writer.__module__}")
        if not (place / SIZE).exists():
            raise UnfitInputError(f"{place} has no {SIZE}: it is no input, or was not written to the end; empty it")
        of = (place / SIZE).read_text().split()[1]
        if of != writer.__module__:
            raise UnfitInputError(f"{place} holds an input of {of}, {name} takes one of {writer.__module__}")
        yield place


def measured(name: str, way: str, folder: Path, device: str, once: bool = False) -> dict:
    """One way in a fresh process; its result lies in the folder afterwards. Raises CalledProcessError."""
    print(f"measuring {name}: {way}", file=sys.stderr, flush=True)
    line = [sys.executable, "-m", "benchmarks.ways", name, way, str(folder), device, *["once"] * once]
    done = subprocess.run(line, cwd=REPOSITORY, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def run(name: str, way: str, folder: Path, device: str, once: bool) -> dict:
    """In that process: a cold run, then warm ones unless `once`."""
    stage = module(name).STAGE
    given, before_gb = stage.load(folder, device), peak_gb()
    repeats = 0 if once else stage.repeats.get(way, 3 if way.startswith(OURS) else 1)
    seconds, core_seconds, result = [], [], {}
    for _ in range(1 + repeats):
        began, began_on_cores = time.perf_counter(), time.process_time()
        result = stage.ways[way](given)
        seconds.append(time.perf_counter() - began)
        core_seconds.append(time.process_time() - began_on_cores)
    np.savez(folder / f"{way}.npz", **result)
    timed = slice(1 if repeats else 0, None)
    return {
        "seconds": round(statistics.median(seconds[timed]), 3),
        "cold_seconds": round(seconds[0], 3),
        "runs": repeats,
        "cores_busy": round(sum(core_seconds[timed]) / sum(seconds[timed]), 2),
        "peak_gb": round(peak_gb(), 2),
        "input_gb": round(before_gb, 2),
    } | peak_of_the_card(device)


def peak_gb() -> float:
    """The most memory that this process has held."""
    # Not getrusage: its figure begins with that of the process that started this one.
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) * KIB / 1e9


def peak_of_the_card(device: str) -> dict[str, float]:
    """The most of a card's memory that this process has held, where it uses one."""
    if not device.startswith("cuda"):
        return {}
    import torch

    return {"card_peak_gb": round(torch.cuda.max_memory_reserved(device) / 1e9, 2)}


def module(name: str):
    """The module of a stage."""
    return import_module(f"benchmarks.{name}")


def machine(device: str) -> dict:
    """Cores, processor, memory, how busy the cores were in the last minute, and the card, where one is used."""
    info, memory = Path("/proc/cpuinfo").read_text().splitlines(), Path("/proc/meminfo").read_text().split()
    named = [line.split(": ")[1] for line in info if line.startswith("model name")]
    card = {}
    if device.startswith("cuda"):
        import torch

        card = {"card": torch.cuda.get_device_name(device)}
    return card | {
        "cores": os.cpu_count(),
        "cpu": named[0] if named else platform.processor(),
        "ram_gb": round(int(memory[1]) * KIB / 1e9, 1),
        "load": round(os.getloadavg()[0], 1),
    }


def versions() -> dict[str, str]:
    """Of what does the work, as far as it is installed."""
    found = {}
    for name in MEASURED_PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


if __name__ == "__main__":
    print(json.dumps(run(sys.argv[1], sys.argv[2], Path(sys.argv[3]), sys.argv[4], "once" in sys.argv[5:])))
