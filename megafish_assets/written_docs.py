"""`python -m megafish_assets.written_docs`: writes `docs/checks.md` and `docs/settings.md` from the code itself."""

import json
from pathlib import Path

from megafish_assets.atlas.checks import CHECKS as ATLAS
from megafish_assets.clusters.checks import CHECKS as CLUSTERS
from megafish_assets.crops.checks import CHECKS as CROPS
from megafish_assets.detections.checks import CHECKS as DETECTIONS
from megafish_assets.embeddings.checks import CHECKS as EMBEDDINGS
from megafish_assets.embeddings.checks import GATES
from megafish_assets.evaluation.checks import CHECKS as EVALUATION
from megafish_assets.exports.checks import CHECKS as EXPORTS
from megafish_assets.features.checks import CHECKS as FEATURES
from megafish_assets.footage.site import Site
from megafish_assets.labels.checks import CHECKS as CLASSES
from megafish_assets.labels.label_checks import CHECKS as LABELS
from megafish_assets.labels.review_checks import CHECKS as REVIEW
from megafish_assets.orchestration.knobs import SCHEDULES
from megafish_assets.orchestration.settings import VARIABLES
from megafish_assets.reporting.verdicts import Check
from megafish_assets.sightings.checks import CHECKS as SIGHTINGS

DOCS = Path(__file__).parents[1] / "docs"
EVERY: list[tuple[str, Check]] = [
    (asset, check)
    for stage in (
        *(DETECTIONS, CROPS, EMBEDDINGS, GATES, FEATURES, CLUSTERS, EVALUATION),
        *(LABELS, CLASSES, REVIEW, SIGHTINGS, ATLAS, EXPORTS),
    )
    for asset, check in stage.items()
]
"""Asset and check, in the order of the data's flow."""


def checks_page() -> str:
    """Every limit, with its reason and its remedy."""
    lines = [
        "# Checks",
        "",
        "Written by `python -m megafish_assets.written_docs` from the limits in each stage's `checks.py`:",
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


def settings_page() -> str:
    """Every environment variable, and every knob of megafish.toml with its default and what it allows."""
    from megafish_assets.definitions import STOCK

    lines = [
        "# Settings",
        "",
        "Written by `python -m megafish_assets.written_docs` from the code: change the tables there.",
        "",
        "## Of an installation: environment variables",
        "",
        "Read once, when a command or the UI starts. `make up` and the command line read the same.",
        "",
        "| variable | what |",
        "|---|---|",
        *[f"| `{name}` | {meaning} |" for name, meaning in VARIABLES.items()],
        "",
        "## Of a collection: `megafish.toml` in its folder",
        "",
        "A section an asset, for the UI, the command line and the night alike. An asset's launchpad shows these",
        "values, and changes them for one run. *Reload definitions* in the UI shows a changed file; `make",
        "materialise`, or the job `retry_failed_videos`, makes again what depends on it.",
        "",
    ]
    for asset, config in STOCK.items():
        lines += [f"### `[{asset}]`", "", "| knob | default | allowed | what |", "|---|---|---|---|"]
        schema = config.model_json_schema()["properties"]
        lines += [
            f"| `{name}` | {_default(field.default)} | {_allowed(schema[name])} | {field.description} |"
            for name, field in config.model_fields.items()
        ]
        lines.append("")
    lines += ["### `[names]`", "", "| knob | default | what |", "|---|---|---|"]
    lines += [
        "| `backbone` | the first of `MEGAFISH_BACKBONES` | whose kinds, review sheets and classes people name |",
        "",
    ]
    lines += [
        "### `[site]`",
        "",
        "What the owner says of the camera, for [exports](exports.md); `recordings.csv` says otherwise of a file.",
        "",
        "| knob | default | allowed | what |",
        "|---|---|---|---|",
    ]
    schema = Site.model_json_schema()["properties"]
    lines += [
        f"| `{name}` | {_default(field.default)} | {_allowed(schema[name])} | {field.description} |"
        for name, field in Site.model_fields.items()
    ]
    lines += ["", "### `[schedules]`", "", "In `MEGAFISH_TIMEZONE`.", "", "| schedule | default |", "|---|---|"]
    lines += [f'| `{name}` | `"{when}"` |' for name, when in SCHEDULES.items()]
    return "\n".join([*lines, ""])


def _default(value: object) -> str:
    return "none" if value is None else f"`{json.dumps(value)}`"


def _allowed(schema: dict) -> str:
    """The bounds or the names that a knob's JSON schema allows."""
    kinds = schema.get("anyOf", [schema])
    known = {name: kind[name] for kind in kinds for name in kind}
    if "enum" in known:
        return ", ".join(f"`{name}`" for name in known["enum"])
    signs = {"minimum": ">=", "exclusiveMinimum": ">", "maximum": "<=", "exclusiveMaximum": "<"}
    return ", ".join(f"{sign} {known[name]:,}" for name, sign in signs.items() if name in known) or "any"


PAGES = {"checks.md": checks_page, "settings.md": settings_page}
"""By the file in `docs/` that each writes."""

if __name__ == "__main__":
    for name, page in PAGES.items():
        (DOCS / name).write_text(page())
