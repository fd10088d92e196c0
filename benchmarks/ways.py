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
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

REPOSITORY = Path(__file__).parents[1]
OURS, NOTEBOOK = "ours", "notebook"
Result = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Stage:
    """One thing that is done in two ways or more, `ours` among them."""

    write: Callable[[Path, int], None]
    """Writes the input of a size into a folder. Not timed."""
    load: Callable[[Path], Any]
    """What every way is given, from that folder. Not timed."""
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
    """Timed runs after the first; 3 of ours and 1 of any other unless named."""


def compared(name: str, size: int | None = None, folder: Path | None = None) -> dict:
    """Every way of a stage at one size, and how far each is from ours; seconds are the median of warm runs."""
    stage = module(name).STAGE
    size = stage.size if size is None else size
    with tempfile.TemporaryDirectory(prefix=f"megafish-{name}-", dir=folder) as own:
        stage.write(Path(own), size)
        ways = {way: measured(name, way, Path(own)) for way in stage.ways}
        results = {way: dict(np.load(Path(own, f"{way}.npz"))) for way in ways}
    line = {"stage": name, "case": "compared", stage.unit: size} | {
        way: figures | difference(stage, results, way) for way, figures in ways.items()
    }
    ratios = {
        f"{way}_by_ours": round(figures["seconds"] / ways[OURS]["seconds"], 2)
        for way, figures in ways.items()
        if way != OURS
    }
    return line | ratios | {"machine": machine(), "versions": versions()}


def difference(stage: Stage, results: Mapping[str, Result], way: str) -> dict:
    """How far this way's result is from ours, for the line; empty for ours."""
    if way == OURS:
        return {}
    return {
        "difference": {
            name: float(f"{value:.3g}") for name, value in stage.compare(results[OURS], results[way]).items()
        }
    }


def grown(name: str, sizes: tuple[int, ...]) -> dict:
    """Ours alone at growing sizes."""
    stage, cases = module(name).STAGE, []
    for size in sizes:
        with tempfile.TemporaryDirectory(prefix=f"megafish-{name}-") as own:
            stage.write(Path(own), size)
            cases.append({stage.unit: size} | measured(name, OURS, Path(own)))
    return {"stage": name, "case": "growth", "cases": cases, "machine": machine(), "versions": versions()}


def measured(name: str, way: str, folder: Path) -> dict:
    """One way in a fresh process; its result lies in the folder afterwards. Raises CalledProcessError."""
    line = [sys.executable, "-m", "benchmarks.ways", name, way, str(folder)]
    done = subprocess.run(line, cwd=REPOSITORY, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def run(name: str, way: str, folder: Path) -> dict:
    """In that process: a cold run, then warm ones."""
    stage = module(name).STAGE
    given, before_gb = stage.load(folder), peak_gb()
    repeats = stage.repeats.get(way, 3 if way == OURS else 1)
    seconds, result = [], {}
    for _ in range(1 + repeats):
        began = time.perf_counter()
        result = stage.ways[way](given)
        seconds.append(time.perf_counter() - began)
    np.savez(folder / f"{way}.npz", **result)
    return {
        "seconds": round(statistics.median(seconds[1:] or seconds), 3),
        "cold_seconds": round(seconds[0], 3),
        "runs": repeats,
        "peak_gb": round(peak_gb(), 2),
        "input_gb": round(before_gb, 2),
    }


def peak_gb() -> float:
    """The most memory that this process has held."""
    # Not getrusage: its figure begins with that of the process that started this one.
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1e6


def module(name: str):
    """The module of a stage."""
    return import_module(f"benchmarks.{name}")


def machine() -> dict:
    """Cores, processor, memory, and how busy the cores were in the last minute."""
    info, memory = Path("/proc/cpuinfo").read_text().splitlines(), Path("/proc/meminfo").read_text().split()
    named = [line.split(": ")[1] for line in info if line.startswith("model name")]
    return {
        "cores": os.cpu_count(),
        "cpu": named[0] if named else platform.processor(),
        "ram_gb": round(int(memory[1]) / 1e6, 1),
        "load": round(os.getloadavg()[0], 1),
    }


def versions() -> dict[str, str]:
    """Of what does the work."""
    return {name: version(name) for name in ("torch", "timm", "scikit-learn", "umap-learn", "polars")}


if __name__ == "__main__":
    print(json.dumps(run(sys.argv[1], sys.argv[2], Path(sys.argv[3]))))
