"""The tables of `docs/benchmarks.md` from measured lines, between two marks; the words around them are by hand."""

import json
from collections.abc import Iterable
from pathlib import Path

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"
BEGIN, END = "<!-- measured -->", "<!-- /measured -->"


def table(lines: Iterable[dict]) -> str:
    """A row a way of each stage, and a row a size of ours."""
    rows = [
        "| stage | size | way | warm | cold | peak memory | ours is faster by | differs by |",
        "|---|---|---|---|---|---|---|---|",
    ]
    growth = ["| stage | size | warm | peak memory |", "|---|---|---|---|"]
    machine = None
    for line in lines:
        machine = line["machine"]
        if line["case"] == "growth":
            for case in line["cases"]:
                growth.append(f"| {line['stage']} | {_size(case)} | {case['seconds']:g} s | {case['peak_gb']:g} GB |")
            continue
        for way, figures in line.items():
            if not isinstance(figures, dict) or "seconds" not in figures:
                continue
            faster = line.get(f"{way}_by_ours")
            differs = ", ".join(f"{name} {value:g}" for name, value in figures.get("difference", {}).items())
            rows.append(
                f"| {line['stage']} | {_size(line)} | {way} | {figures['seconds']:g} s | {figures['cold_seconds']:g} s "
                f"| {figures['peak_gb']:g} GB | {'' if faster is None else f'{faster:g} x'} | {differs} |"
            )
    on = f"{machine['cores']} cores ({machine['cpu']}), {machine['ram_gb']:g} GB" if machine else "nothing"
    return "\n".join([f"Measured on {on}.", "", *rows, "", "Ours alone, at growing sizes:", "", *growth])


def written(lines: Iterable[dict], page: Path = PAGE) -> None:
    """Puts the table into the page. Raises ValueError where it lacks the marks."""
    before, begin, rest = page.read_text().partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{page} has no {BEGIN} and {END}")
    page.write_text(f"{before}{BEGIN}\n{table(lines)}\n{END}{after}")


def read(path: Path) -> list[dict]:
    """The lines of JSON in a file."""
    return [json.loads(line) for line in path.read_text().splitlines()]


def _size(line: dict) -> str:
    unit = next(name for name in line if name.startswith("n_"))
    return f"{line[unit]:,} {unit.removeprefix('n_')}"
