"""What a collection holds once it is up to date, for a person and as JSON."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field

import dagster as dg
import polars as pl

from megafish_assets.orchestration.attention import evaluations
from megafish_assets.orchestration.materialise import asset_order
from megafish_assets.orchestration.settings import Settings
from megafish_assets.orchestration.staleness import Collection
from megafish_assets.reporting.wording import many
from megafish_assets.storage.catalog import BACKBONE, Tables, named


@dataclass
class Outcome:
    """What was not made, by name."""

    failed: list[str] = field(default_factory=list)
    """Assets that failed, or were left out because what they are made from did."""
    refused: list[str] = field(default_factory=list)
    """Those before which a person has to say something."""


@dataclass
class Summary:
    """What the collection holds once it is up to date."""

    n_videos: int
    n_detections: int
    """Rows that the detector wrote."""
    n_faulty: int
    """Of them, rows that can't be believed."""
    n_crops: int
    n_set_aside: int
    """Sampled rows without a crop."""
    backbones: dict[str, dict[str, float | str]] = field(default_factory=dict)
    """By name: `n_clusters`, and `n_kinds` with `n_kinds_low`, `n_kinds_high`, `n_sure` and `kinds`, a sentence."""
    broken: list[str] = field(default_factory=list)
    """Checks whose last result is outside its limits, in words."""
    failed: list[str] = field(default_factory=list)
    """Assets that failed, or were left out because what they are made from failed."""
    refused: list[str] = field(default_factory=list)
    """Exports before which a person has to say something."""
    figures: str = ""
    """Folder of plots and montages."""
    report: str = ""
    """The page to read first; empty where there is none."""

    def lines(self) -> Iterator[str]:
        """The same for a person."""
        faulty = f" ({self.n_faulty} with a fault)" if self.n_faulty else ""
        detections = f"{many(self.n_detections, 'detection')}{faulty}"
        yield f"{many(self.n_videos, 'video')}, {detections}, {many(self.n_crops, 'crop')}"
        if self.n_set_aside:
            yield f"without a crop: {many(self.n_set_aside, 'sampled detection')}; the events of `crops` say why"
        for name, numbers in self.backbones.items():
            kinds = f", {numbers['kinds']}" if "kinds" in numbers else ""
            yield f"{name}: {many(numbers['n_clusters'], 'cluster')}{kinds}"
        yield from (f"check: {one}" for one in self.broken)
        yield from (f"NOT MADE: {one}" for one in self.failed)
        yield from (f"not written: {one}, see above what is missing" for one in self.refused)
        yield f"montages and plots: {self.figures}"
        if self.report:
            yield f"report: {self.report}"
        yield "next: `make report` opens what the camera saw, `make explore` the map of all crops, `make up` the UI"


def broken_checks(collection: Collection, asset_keys: Sequence[dg.AssetKey]) -> list[str]:
    """What the last results of these assets' checks, and of what the same step makes, are outside of."""
    graph = collection.graph
    together = {one for key in asset_keys for one in graph.get(key).execution_set_asset_keys}
    keys = [key for key in graph.asset_check_keys if key.asset_key in together]
    return [
        f"{key.asset_key.to_user_string()}: {result.description}"
        for key, result in evaluations(collection.instance, keys)
        if not result.passed
    ]


def summary_of(defs: dg.Definitions, collection: Collection, settings: Settings, outcome: Outcome) -> Summary:
    """What the tables hold now."""

    tables = Tables(root=collection.tables)
    raw_faults = tables.column("detections", "raw_detections", "fault", pl.String)
    crop_faults = tables.column("crops", "crops", "fault", pl.String)
    backbones = {}
    for backbone in _backbones(defs):
        cluster_ids = tables.column("clusters", named("clusters", backbone), "cluster", pl.Int32)
        backbones[backbone] = {"n_clusters": cluster_ids.filter(cluster_ids >= 0).n_unique()} | _kinds(
            collection, backbone
        )
    return Summary(
        n_videos=len(collection.arrived),
        n_detections=len(raw_faults),
        n_faulty=raw_faults.count(),
        n_crops=crop_faults.null_count(),
        n_set_aside=crop_faults.count(),
        backbones=backbones,
        broken=broken_checks(collection, asset_order(defs)),
        failed=outcome.failed,
        refused=outcome.refused,
        figures=str(settings.catalog.figures),
        report=str(settings.catalog.report_page) if settings.catalog.report_page.is_file() else "",
    )


def _backbones(defs: dg.Definitions) -> list[str]:
    """Every backbone that crops are embedded by."""
    specs = defs.resolve_all_asset_specs()
    return sorted({spec.metadata[BACKBONE] for spec in specs if BACKBONE in spec.metadata})


def _kinds(collection: Collection, backbone: str) -> dict[str, float | str]:
    """The number of kinds as `stability` told it last."""
    event = collection.instance.get_latest_materialization_event(dg.AssetKey(named("stability", backbone)))
    metadata = {} if event is None else event.asset_materialization.metadata
    names = ("kinds", "n_kinds", "n_sure", "n_kinds_low", "n_kinds_high")
    return {name: metadata[name].value for name in names if name in metadata}


def shown(summary: Summary, as_json: bool) -> str:
    """The summary as lines, or as one line of JSON."""
    return json.dumps(asdict(summary)) if as_json else "\n".join(["", *summary.lines()])
