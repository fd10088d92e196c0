"""What an asset tells the UI: column schemas, pictures, lineage, numbers a video, coverage."""

import base64
from collections.abc import Mapping, Sequence
from itertools import pairwise
from statistics import median

import dagster as dg

from megafish_assets.footage.columns import Columns
from megafish_assets.storage.catalog import Tables, named
from megafish_assets.storage.dagster_internals import partition_loading_context
from megafish_assets.storage.partitions import VIDEOS, last_made

EVENTS_ASKED = 200
"""For a number of the asset as it is now."""

MISSING_SHOWN = 20
"""Names of missing videos in one event; more would not be read."""


def table_metadata(columns: Columns) -> dict[str, dg.TableSchema]:
    """The column schema, for an asset's definition: on every event it would cost 26 ms and 11 kB each."""
    schema = [dg.TableColumn(name, str(column.dtype), description=column.meaning) for name, column in columns.items()]
    return {"dagster/column_schema": dg.TableSchema(columns=schema)}


def column_lineage(upstream: Mapping[str, Sequence[str]]) -> dict[str, dg.TableColumnLineage]:
    """Columns that are carried on unchanged, as `{asset: [columns]}`."""
    deps: dict[str, list[dg.TableColumnDep]] = {}
    for key, columns in upstream.items():
        for column in columns:
            dep = dg.TableColumnDep(asset_key=dg.AssetKey(key), column_name=column)
            deps.setdefault(column, []).append(dep)
    return {"dagster/column_lineage": dg.TableColumnLineage(deps_by_column=deps)}


def picture(image: bytes, alt: str) -> dg.MetadataValue:
    """A PNG or JPEG that the UI shows; keep it under about 150 kB."""
    kind = "png" if image.startswith(b"\x89PNG") else "jpeg"
    return dg.MetadataValue.md(f"![{alt}](data:image/{kind};base64,{base64.b64encode(image).decode()})")


def per_video(context: dg.AssetExecutionContext, numbers: Mapping[str, Mapping[str, float]]) -> None:
    """Puts numbers on the events of the partitions that they are given by."""
    with partition_loading_context(dynamic_partitions_store=context.instance):  # else each note asks for all keys
        for video, row in numbers.items():
            context.add_asset_metadata(row, partition_key=video)


def coverage(context: dg.AssetExecutionContext, upstream: str, unseen: Sequence[str] = ()) -> dict:
    """How many videos there are, how many of them the upstream asset has, and the first missing names.

    Videos of which some rows were not used are missing too.
    """
    expected = context.instance.get_dynamic_partitions(VIDEOS.name)
    present = context.instance.get_materialized_partitions(dg.AssetKey(upstream)) - set(unseen)
    missing = sorted(set(expected) - present)
    numbers = {
        "n_videos_expected": len(expected),
        "n_videos_present": len(expected) - len(missing),
        "n_missing_videos": len(missing),
    }
    return numbers | ({"missing_videos": ", ".join(missing[:MISSING_SHOWN])} if missing else {})


def videos_behind(instance: dg.DagsterInstance, chain: Sequence[str]) -> list[str]:
    """Videos of which some asset of the chain is not made, or is older than the one before it, sorted."""
    made = [
        instance.get_latest_storage_id_by_partition(dg.AssetKey(asset), dg.DagsterEventType.ASSET_MATERIALIZATION)
        for asset in chain
    ]
    videos = set(instance.get_dynamic_partitions(VIDEOS.name)).union(*made)
    in_order = {
        video
        for video in videos
        if all(video in stage for stage in made) and all(a[video] < b[video] for a, b in pairwise(made))
    }
    return sorted(videos - in_order)


def reduced_coverage(context: dg.AssetExecutionContext, tables: Tables, backbone: str, reduced: str) -> dict:
    """`coverage` of what is made from reduced vectors (`pca` or `features`), which may be older than the vectors."""
    vectors = tables.of("embeddings", named("embeddings", backbone))
    unseen = tables.videos_without(vectors, tables.of("features", named(reduced, backbone)))
    return coverage(context, named("embeddings", backbone), unseen)


def median_number(instance: dg.DagsterInstance, asset: str, name: str) -> float | None:
    """The median of a number on the asset's last events; None where none says it."""
    records = instance.fetch_materializations(dg.AssetKey(asset), limit=EVENTS_ASKED).records
    numbers = [record.asset_materialization.metadata.get(name) for record in records]
    known = [number.value for number in numbers if number is not None]
    return median(known) if known else None


def last_numbers(instance: dg.DagsterInstance, asset: str, of: str | None = None) -> dict[str, float | int | str]:
    """The numbers and texts of the asset's last event, by name; none where it has none, or where the asset `of` that
    they are told of was made again since."""
    event = instance.get_latest_materialization_event(dg.AssetKey(asset))
    about = None if of is None else instance.get_latest_materialization_event(dg.AssetKey(of))
    if event is None or (about is not None and about.timestamp > event.timestamp):
        return {}
    plain = (dg.FloatMetadataValue, dg.IntMetadataValue, dg.TextMetadataValue)
    told = event.asset_materialization.metadata
    return {name: told[name].value for name in told if isinstance(told[name], plain)}


def versions_read(instance: dg.DagsterInstance, asset: str, upstream: str, unmade: str = "") -> dict[str, str]:
    """The data version of an upstream asset that each partition of an asset was made from, by partition; `unmade` for
    one that was made before it."""
    made, tag = last_made(instance, dg.AssetKey(asset)), f"dagster/input_data_version/{upstream}"
    # An event that a person reported by hand has no tags.
    return {video: (event.asset_materialization.tags or {}).get(tag, unmade) for video, event in made.items()}
