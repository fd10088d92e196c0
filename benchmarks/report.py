"""The tables of `docs/benchmarks.md` from measured lines, between two marks; the words around them are by hand."""

from collections.abc import Iterable
from pathlib import Path

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"
MARKS = {"all": "measured", "full": "measured-full"}
"""Between `<!-- name -->` and `<!-- /name -->` stands what a command has measured."""


def table(lines: Iterable[dict]) -> str:
    """A row a way of each stage, and a row a size of ours."""
    rows = [
        "| stage | size | way | warm | cold | peak memory | beside | ours is faster by | differs by |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    growth = ["| stage | size, ours alone | warm | cold | peak memory |", "|---|---|---|---|---|"]
    n_compared, machine = len(rows), None
    for line in lines:
        machine = line["machine"]
        if line["case"] == "growth":
            for case in line["cases"]:
                growth.append(
                    f"| {line['stage']} | {_size(case)} | {_warm(case)} | {case['cold_seconds']:g} s | "
                    f"{case['peak_gb']:g} GB |"
                )
            continue
        ways = {way: found for way, found in line.items() if isinstance(found, dict) and "seconds" in found}
        rows += [_row(line, way, figures) for way, figures in ways.items()]
    on = f"{machine['cores']} cores ({machine['cpu']}), {machine['ram_gb']:g} GB" if machine else "nothing"
    parts = [f"Measured on {on}."] + (["", *rows] if len(rows) > n_compared else []) + ["", *growth]
    return "\n".join(parts)


def _row(line: dict, way: str, figures: dict) -> str:
    faster = f"{figures['ours_is_faster_by']:g} x" if "beside" in figures else ""
    differs = ", ".join(f"{name} {value:g}" for name, value in figures.get("difference", {}).items())
    cells = (
        line["stage"],
        _size(line),
        way,
        _warm(figures),
        f"{figures['cold_seconds']:g} s",
        f"{figures['peak_gb']:g} GB",
        figures.get("beside", ""),
        faster,
        differs,
    )
    return f"| {' | '.join(cells)} |"


def written(lines: Iterable[dict], mark: str, page: Path = PAGE) -> None:
    """Puts the table between the marks. Raises ValueError where the page lacks them."""
    begin, end = f"<!-- {mark} -->", f"<!-- /{mark} -->"
    before, found, rest = page.read_text().partition(begin)
    _, found_end, after = rest.partition(end)
    if not found or not found_end:
        raise ValueError(f"{page} has no {begin} and {end}")
    page.write_text(f"{before}{begin}\n{table(lines)}\n{end}{after}")


def _warm(figures: dict) -> str:
    return f"{figures['seconds']:g} s" if figures["runs"] else ""


def _size(line: dict) -> str:
    unit = next(name for name in line if name.startswith("n_"))
    return f"{line[unit]:,} {unit.removeprefix('n_')}"
