"""Three little assets behind the real IO manager; importable, so that spawned processes can run them."""

from pathlib import Path

import dagster as dg
import polars as pl

from megafish_assets.orchestration.policy import grouped
from megafish_assets.storage.io_manager import GpuDeltaLakeIOManager
from megafish_assets.storage.partitions import ROW_RUNS, VIDEOS


class Content(dg.Config):
    """What the run writes into each of its partitions."""

    value: int = 0
    n_rows: int = 2
    extra_column: bool = False
    foreign_rows: bool = False


@dg.asset(partitions_def=VIDEOS, backfill_policy=ROW_RUNS)
def rows(context: dg.AssetExecutionContext, config: Content) -> pl.DataFrame:
    """A few rows a video, last rows first."""
    keys = ["somebody-else"] if config.foreign_rows else context.partition_keys
    ids = [(key, f"{key}/{frame:06d}/000", config.value) for key in keys for frame in range(config.n_rows)]
    frame = pl.DataFrame(ids, schema={"video": pl.String, "detection_id": pl.String, "value": pl.Int64}, orient="row")
    frame = frame.with_columns(pl.lit(1.5).alias("extra")) if config.extra_column else frame
    return frame.reverse()


@dg.asset(partitions_def=VIDEOS, backfill_policy=ROW_RUNS)
def doubled(rows: pl.DataFrame) -> pl.DataFrame:
    """Per-video downstream."""
    return rows.with_columns(pl.col("value") * 2)


@dg.asset(ins={"rows": dg.AssetIn(metadata={"columns": ["detection_id", "value"]})})
def everything(rows: pl.DataFrame) -> pl.DataFrame:
    """Over all videos, two columns only, in the order in which it was read."""
    return rows.with_row_index("place").with_columns(pl.col("place").cast(pl.Int64))


ASSETS = grouped("small", [rows, doubled, everything])


def run(
    root: Path,
    keys: list[str],
    asset: dg.AssetsDefinition | None = None,
    range_of: tuple[str, str] | None = None,
    instance: dg.DagsterInstance | None = None,
    assets: list | None = None,
    **content: object,
) -> dg.ExecuteInProcessResult:
    """Materialises one asset for one key, or for a range, of a collection that has these keys."""
    instance = instance or dg.DagsterInstance.ephemeral()
    instance.add_dynamic_partitions(VIDEOS.name, keys)
    wanted = asset or rows
    tags = {}
    if range_of:
        tags = {"dagster/asset_partition_range_start": range_of[0], "dagster/asset_partition_range_end": range_of[1]}
    return dg.materialize(
        assets or ASSETS,
        selection=[wanted],
        instance=instance,
        partition_key=keys[0] if wanted.partitions_def is not None and not range_of else None,
        tags=tags,
        resources={"io_manager": GpuDeltaLakeIOManager(root_uri=str(root), device="cpu")},
        run_config={"ops": {"rows": {"config": content}}} if wanted is rows else None,
    )


def write_one(root: str, key: str, value: int) -> None:
    """What a spawned process does."""
    run(Path(root), [key], value=value)
