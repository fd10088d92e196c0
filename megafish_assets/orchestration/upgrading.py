"""Brings a collection that an earlier megafish made to the names of this one: its tables, pictures, events and knobs.

Before, an asset of a backbone had the key `pca/vit` and lay at `tables/clusters/pca/vit`; now it has the key `pca_vit`
and lies at `tables/features/pca_vit`; `video_id` is `video_number`, and a row's `tracklet_id` stays with it into sample
and crops. Nothing is made again that was up to date. What is moved is moved table by table:
whoever is cut off begins again where he was.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from pathlib import Path

import dagster as dg
import polars as pl

from megafish_assets.storage.catalog import ASSET, Catalog, Tables, named
from megafish_assets.storage.dagster_internals import BaseAssetGraph
from megafish_assets.storage.delta import Table
from megafish_assets.storage.partitions import VIDEO_COLUMN, last_made

MOVED = {
    "embeddings": "embeddings",
    "pca": "clusters",
    "whitening": "clusters",
    "features": "clusters",
    "umap": "clusters",
    "kmeans_sweep": "clusters",
    "clusters": "clusters",
    "stability": "clusters",
    "quality": "clusters",
    "montages": "atlas",
    "league": "atlas",
}
"""The group in which the table of each asset lay that has another key now."""

RENAMED = {"quality": "confounders", "league": "leaderboard"}
"""Assets by their earlier name, as the sections of megafish.toml had it too."""


@dataclass(frozen=True)
class Move:
    """One asset, or one of its backbones, under its old and its new name."""

    old_key: dg.AssetKey
    new_key: dg.AssetKey
    root: Path
    """Of the collection."""
    folders: list[tuple[Path, Path]]
    """From and to: the table last, after its model and its pictures."""

    def renamed(self, place: str) -> str:
        """A place as it is called afterwards, of a collection that may have lain elsewhere then."""
        for before, after in self.folders:
            old, new = (f"/{folder.relative_to(self.root).as_posix()}" for folder in (before, after))
            if place.endswith(old) or f"{old}/" in place:
                return place.replace(old, new)
        return place


def is_of_before(catalog: Catalog) -> bool:
    """Whether tables lie where an earlier megafish has put them, or have its columns."""
    return next(_old_tables(catalog), None) is not None or next(_old_columns(catalog), None) is not None


def require_upgraded(catalog: Catalog) -> None:
    """Raises ValueError that says what to do with a collection of before."""
    if is_of_before(catalog):
        raise ValueError(
            f"{catalog.root} was made by an earlier megafish, which called its tables otherwise: `python -m "
            "megafish_assets upgrade` renames them in seconds, and nothing is made again"
        )


def upgrade(catalog: Catalog, defs: dg.Definitions, instance: dg.DagsterInstance) -> list[str]:
    """Moves everything; the new name of each asset that was moved, in the order of the data's flow.

    Raises FileExistsError where a table of the new name is there already.
    """
    moves, specs = {}, {spec.key: spec for spec in defs.resolve_all_asset_specs()}
    for old in _old_tables(catalog):
        move = _move(catalog, old, specs)
        moves[move.new_key] = move
    graph, done = defs.resolve_asset_graph(), []
    order = [key for key in graph.toposorted_asset_keys if key in moves]
    order += [key for key in moves if key not in order]  # of backbones that are not chosen now
    for key in order:
        parents = _parents(key, moves[key], specs, graph)
        checks = [check.name for check in graph.asset_check_keys if check.asset_key == key]
        _register(instance, moves[key], [moves[parent].old_key if parent in moves else parent for parent in parents])
        _register_checks(instance, moves[key], checks)
    for table, renewed in _old_columns(catalog):
        _rewrite(table, renewed)
    for key in order:  # only then, so that a second try still tells by the tables which parents had another name
        for before, after in moves[key].folders:
            _rename(before, after)
        done.append(key.to_user_string())
    return done


def _old_tables(catalog: Catalog) -> Iterator[Path]:
    for asset, group in MOVED.items():
        folder = catalog.tables / group / asset
        yield from (log.parent for log in sorted([*folder.glob("*/_delta_log"), *folder.glob("_delta_log")]))


Renewed = Callable[[pl.LazyFrame], pl.LazyFrame]
"""The rows of a table in its present columns, from those that it had."""


def _old_columns(catalog: Catalog) -> Iterator[tuple[Table, Renewed]]:
    """The tables of rows whose columns have changed since, and how."""
    tables = Tables(root=str(catalog.tables))
    tracklets = tables.of("detections", "tracklets")
    places = (("detections", "raw_detections"), ("detections", "filtered_detections"))
    for room, asset in (*places, ("detections", "sampled_detections"), ("crops", "crops")):
        table = tables.of(room, asset)
        names = table.scan().collect_schema().names() if table.exists() else []
        changes: list[Renewed] = []
        if "video_id" in names:
            changes.append(lambda rows: rows.rename({"video_id": "video_number"}))
        if names and "tracklet_id" not in names and (room, asset) not in places and tracklets.exists():
            known = tracklets.scan().select("detection_id", "tracklet_id")
            changes.append(lambda rows, known=known: rows.join(known, on="detection_id", how="left"))
        if changes:
            yield table, lambda rows, changes=changes: reduce(lambda done, change: change(done), changes, rows)
    for folder in sorted((catalog.tables / "clusters" / "clusters").glob("*/_delta_log")):
        table = Table(str(folder.parent))
        if table.scan().filter(pl.col("tracklet_id") == "").limit(1).collect().height:
            yield table, lambda rows: rows.with_columns(pl.col("tracklet_id").replace("", None))


def _rewrite(table: Table, renewed: Renewed) -> None:
    """In one commit, and video by video, so that memory holds the rows of one."""
    rows = renewed(table.scan())
    videos = table.scan().select(pl.col(VIDEO_COLUMN).unique().sort()).collect()[VIDEO_COLUMN].to_list()
    none = rows.clear().collect()
    table.replace_streamed(
        lambda: (rows.filter(pl.col(VIDEO_COLUMN) == video).collect() for video in videos) if videos else [none]
    )


def _move(catalog: Catalog, old: Path, specs: dict[dg.AssetKey, dg.AssetSpec]) -> Move:
    """The move of the asset whose table lies there."""
    group, asset, *backbone = old.relative_to(catalog.tables).parts
    name = RENAMED.get(asset, asset)
    key = dg.AssetKey(named(name, backbone[0]) if backbone else name)
    room = specs[key].group_name if key in specs else _room(name, specs)
    pictures = catalog.figures.joinpath(asset, *backbone)
    table = catalog.tables / room / key.to_user_string()
    model = catalog.tables.joinpath(group, f"{asset}_model", *backbone)
    folders = [
        (pictures, catalog.figures / key.to_user_string()),
        (model, table.with_name(f"{table.name}_model")),
        (old, table),
    ]
    there = [(before, after) for before, after in folders if before.is_dir()]
    return Move(dg.AssetKey([asset, *backbone]), key, catalog.root, there)


def _room(asset: str, specs: dict[dg.AssetKey, dg.AssetSpec]) -> str:
    """The group of an asset of other backbones."""
    return next(spec.group_name for spec in specs.values() if spec.metadata.get(ASSET) == asset)


def _parents(
    key: dg.AssetKey, move: Move, specs: Mapping[dg.AssetKey, dg.AssetSpec], graph: BaseAssetGraph
) -> set[dg.AssetKey]:
    """What an asset is made from; of a backbone that is not chosen now, as of one that is."""
    if key in specs:
        return graph.get(key).parent_keys
    asset, backbone = RENAMED.get(move.old_key.path[0], move.old_key.path[0]), move.old_key.path[-1]
    sibling = next(spec.key for spec in specs.values() if spec.metadata.get(ASSET) == asset)
    parents = [(parent, specs[parent].metadata.get(ASSET)) for parent in graph.get(sibling).parent_keys]
    return {parent if name is None else dg.AssetKey(named(name, backbone)) for parent, name in parents}


def _register(instance: dg.DagsterInstance, move: Move, parents: list[dg.AssetKey]) -> None:
    """Says under the new name what the last events under the old one said, of what was up to date: what was older than
    its parents is left to be made again."""
    done = last_made(instance, move.new_key) or _last(instance, move.new_key)  # by a first try that was cut off
    made = last_made(instance, move.old_key) or _last(instance, move.old_key)
    by_parent = [last_made(instance, parent) or _last(instance, parent) for parent in parents]
    for partition, record in made.items():
        # An asset over all videos is older than any newer partition of its parents, one by video than that video's.
        newer = [
            event
            for events in by_parent
            for video, event in events.items()
            if event.storage_id > record.storage_id and partition in (None, video)
        ]
        if not newer and partition not in done:
            instance.report_runless_asset_event(_renamed(record.asset_materialization, move))


def _register_checks(instance: dg.DagsterInstance, move: Move, checks: list[str]) -> None:
    """The same of what its checks said last."""
    keys = {name: dg.AssetCheckKey(move.old_key, name) for name in checks}
    found = instance.event_log_storage.get_latest_asset_check_execution_by_key(list(keys.values()))
    for name, key in keys.items():
        event = found[key].event.dagster_event if key in found and found[key].event else None
        if event is not None and event.event_type == dg.DagsterEventType.ASSET_CHECK_EVALUATION:
            said = event.asset_check_evaluation_data
            instance.report_runless_asset_event(
                dg.AssetCheckEvaluation(
                    asset_key=move.new_key,
                    check_name=name,
                    passed=said.passed,
                    metadata=said.metadata,
                    severity=said.severity,
                    description=said.description,
                )
            )


def _last(instance: dg.DagsterInstance, key: dg.AssetKey) -> dict[str | None, dg.EventLogRecord]:
    records = instance.fetch_materializations(key, limit=1).records
    return dict.fromkeys([None], records[0]) if records else {}


def _renamed(event: dg.AssetMaterialization, move: Move) -> dg.AssetMaterialization:
    metadata = dict(event.metadata)
    for name, value in metadata.items():
        if isinstance(value, dg.PathMetadataValue):
            metadata[name] = dg.MetadataValue.path(move.renamed(value.path))
        elif isinstance(value, dg.TextMetadataValue):
            metadata[name] = dg.MetadataValue.text(move.renamed(value.text))
    return dg.AssetMaterialization(move.new_key, event.description, metadata, event.partition, event.tags)


def _rename(before: Path, after: Path) -> None:
    if not before.is_dir():
        return
    if after.exists():
        raise FileExistsError(f"{before} and {after} are both there: remove the one that is not wanted")
    after.parent.mkdir(parents=True, exist_ok=True)
    before.rename(after)
    if before.parent.is_dir() and not any(before.parent.iterdir()):
        before.parent.rmdir()


def rename_knobs(path: Path) -> None:
    """Renames the sections of megafish.toml, which must be readable before anything else is."""
    if not path.is_file():
        return
    text = renamed = path.read_text(encoding="utf-8-sig")
    for before, after in RENAMED.items():
        renamed = re.sub(rf"(?m)^(\s*\[\s*){before}(\s*\])", rf"\1{after}\2", renamed)
    if renamed != text:
        beside = path.with_suffix(".partial")
        beside.write_text(renamed, encoding="utf-8")
        beside.replace(path)
