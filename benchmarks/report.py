"""The tables of `docs/benchmarks.md` from measured lines, between two marks; the words around them are by hand."""

from collections.abc import Iterable
from pathlib import Path

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"
MARKS = {"all": "measured", "full": "measured-full"}
"""Between `<!-- name -->` and `<!-- /name -->` stands what a command has measured."""

FIGURES = ("warm", "runs", "cold", "cores busy", "peak memory")
"""Of every way."""


def table(lines: Iterable[dict], seconds: float) -> str:
    """A row a way of each stage, and a row a size of ours; and how long it took to measure them."""
    rows = [_cells("stage", "size", "way", *FIGURES, "beside", "ours is faster by", "differs by"), "|---" * 11 + "|"]
    growth = [_cells("stage", "size, ours alone", *FIGURES), "|---" * 7 + "|"]
    n_compared, machine = len(rows), None
    for line in lines:
        machine = line["machine"]
        if line["case"] == "growth":
            growth += [_cells(line["stage"], _size(case), *_figures(case)) for case in line["cases"]]
            continue
        ways = {way: found for way, found in line.items() if isinstance(found, dict) and "seconds" in found}
        rows += [_row(line, way, figures) for way, figures in ways.items()]
    on = f"{machine['cores']} cores ({machine['cpu']}), {machine['ram_gb']:g} GB" if machine else "nothing"
    compared = ["", *rows] if len(rows) > n_compared else []
    return "\n".join([f"Measured in {seconds / 60:.0f} minutes on {on}.", *compared, "", *growth])


def _row(line: dict, way: str, figures: dict) -> str:
    faster = f"{figures['ours_is_faster_by']:g} x" if "beside" in figures else ""
    differs = ", ".join(f"{name} {value:g}" for name, value in figures.get("difference", {}).items())
    return _cells(line["stage"], _size(line), way, *_figures(figures), figures.get("beside", ""), faster, differs)


def _figures(found: dict) -> tuple[str, ...]:
    warm = f"{found['seconds']:g} s" if found["runs"] else ""
    cold, busy, peak = f"{found['cold_seconds']:g} s", f"{found['cores_busy']:g}", f"{found['peak_gb']:g} GB"
    return warm, str(found["runs"]), cold, busy, peak


def _cells(*texts: str) -> str:
    return f"| {' | '.join(texts)} |"


def written(lines: Iterable[dict], mark: str, seconds: float, page: Path = PAGE) -> None:
    """Puts the table between the marks. Raises ValueError where the page lacks them."""
    before, after = around(mark, page)
    page.write_text(f"{before}\n{table(lines, seconds)}\n{after}")


def around(mark: str, page: Path = PAGE) -> tuple[str, str]:
    """The UI before and after what stands between the marks, with them. Raises ValueError where it lacks them."""
    begin, end = f"<!-- {mark} -->", f"<!-- /{mark} -->"
    before, found, rest = page.read_text().partition(begin)
    _, found_end, after = rest.partition(end)
    if not found or not found_end:
        raise ValueError(f"{page} has no {begin} and {end}")
    return before + begin, end + after


def _size(line: dict) -> str:
    unit = next(name for name in line if name.startswith("n_"))
    return f"{line[unit]:,} {unit.removeprefix('n_')}"
