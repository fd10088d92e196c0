"""`python -m megafish_assets.checks_page`: writes `docs/checks.md` from the limits themselves."""

from pathlib import Path

from megafish_assets.atlas.checks import CHECKS as ATLAS
from megafish_assets.clusters.checks import CHECKS as CLUSTERS
from megafish_assets.crops.checks import CHECKS as CROPS
from megafish_assets.detections.checks import CHECKS as DETECTIONS
from megafish_assets.embeddings.checks import CHECKS as EMBEDDINGS
from megafish_assets.embeddings.checks import GATES
from megafish_assets.evaluation.checks import CHECKS as EVALUATION
from megafish_assets.features.checks import CHECKS as FEATURES
from megafish_assets.reporting.verdicts import Check

PAGE = Path(__file__).parents[1] / "docs" / "checks.md"
EVERY: list[tuple[str, Check]] = [
    (asset, check)
    for stage in (DETECTIONS, CROPS, EMBEDDINGS, GATES, FEATURES, CLUSTERS, EVALUATION, ATLAS)
    for asset, check in stage.items()
]
"""Asset and check, in the order of the data's flow."""


def page() -> str:
    """The page's text."""
    lines = [
        "# Checks",
        "",
        "Written by `python -m megafish_assets.checks_page` from the limits in each stage's `checks.py`:",
        "change them there. A broken contract is an ERROR and stops what is downstream in the same run; anything else",
        "is a WARN. Per-video assets have a result on every video's own partition.",
        "",
    ]
    for asset, check in EVERY:
        lines += [f"## `{asset}`: {check.name}", "", check.meaning, ""]
        lines += ["| number | allowed | broken | why | what to do |", "|---|---|---|---|---|"]
        lines += [
            f"| `{name}` | {limit.allowed} | {'ERROR' if limit.broken_contract else 'WARN'} "
            f"| {limit.reason} | {limit.remedy} |"
            for name, limit in check.limits.items()
        ]
        lines.append("")
    return "\n".join(lines)


if __name__ == "__main__":
    PAGE.write_text(page())
