"""Parts of a run: committed while they are made, and not made again by the attempt after a crash."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import polars as pl
import pytest

from megafish_assets.orchestration.policy import grouped
from megafish_assets.reporting.verdicts import Check, Limit, Tally, specs
from megafish_assets.storage.io_manager import GpuDeltaLakeIOManager
from megafish_assets.storage.partitions import ROW_RUNS, VIDEOS
from megafish_assets.storage.parts import COMMIT_VIDEOS, Part, Parts, StoredBeside, by_commit, pending_videos

KEYS = [f"v{number:02d}" for number in range(3 * COMMIT_VIDEOS)]
CHECK = Check("rows_are_there", "Rows a video.", {"n_rows": Limit("a video has rows", "Look.", at_least=1)})


class Power(dg.ConfigurableResource):
    """What goes out after some videos, and who made what."""

    lasts_for: int = 1000
    made: str

    def make(self, key: str) -> pl.DataFrame:
        """One video's rows; its name is noted outside."""
        with Path(self.made).open("a") as note:
            note.write(f"{key}\n")
        return pl.DataFrame({"video": [key], "detection_id": [f"{key}/000000/000"]})


@dg.asset(partitions_def=VIDEOS, backfill_policy=ROW_RUNS)
def source(context: dg.AssetExecutionContext) -> pl.DataFrame:
    return pl.DataFrame({"video": list(context.partition_keys), "detection_id": list(context.partition_keys)})


ROWS, SHADOWS = dg.AssetKey("rows"), dg.AssetKey("shadows")


@dg.multi_asset(
    name="rows",
    outs={"rows": dg.AssetOut(), "shadows": dg.AssetOut()},
    partitions_def=VIDEOS,
    backfill_policy=ROW_RUNS,
    check_specs=[*specs("rows", CHECK), *specs("shadows", CHECK)],
)
def rows(context: dg.AssetExecutionContext, source: pl.DataFrame, power: Power):
    """A video at a time; it is given only those that are left. Another asset is stored beside it."""
    videos, tally = pending_videos(context), Tally(context, CHECK, lambda counts: counts)
    shadows = Tally(context, CHECK, lambda counts: counts, SHADOWS)
    assert sorted(source["video"]) == videos
    none = pl.DataFrame(schema={"video": pl.String, "detection_id": pl.String})

    def part(keys: list[str], value: pl.DataFrame) -> Part:
        beside = Part(keys, value.with_columns(shadow=True), shadows.add(keys, counted(keys)))
        return Part(keys, value, tally.add(keys, counted(keys)), {"shadows": beside})

    def parts() -> Iterator[Part]:
        yield part([], none)
        for place, key in enumerate(videos):
            if place == power.lasts_for:
                raise RuntimeError("the power went")
            yield part([key], power.make(key))

    yield dg.Output(Parts(parts), output_name="rows")
    if power.lasts_for == len(videos):
        raise RuntimeError("the power went between the two tables' events")
    yield dg.Output(StoredBeside(), output_name="shadows")
    yield tally.result()
    yield shadows.result()


def counted(keys: list[str]) -> pl.DataFrame:
    return pl.DataFrame({"video": keys, "n_rows": [1] * len(keys)}, schema={"video": pl.String, "n_rows": pl.Int64})


DEFS = dg.Definitions(
    assets=grouped("small", [source, rows]),
    resources={"io_manager": GpuDeltaLakeIOManager.configure_at_launch(), "power": Power.configure_at_launch()},
    jobs=[dg.define_asset_job("both")],
    executor=dg.in_process_executor,
)


def job() -> dg.JobDefinition:
    return DEFS.resolve_job_def("both")


class Runs:
    """A collection whose runs can lose their power."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.instance = dg.DagsterInstance.local_temp(str(root))
        self.instance.add_dynamic_partitions(VIDEOS.name, KEYS)

    def run(self, lasts_for: int = 1000, again: dg.ReexecutionOptions | None = None) -> dg.JobExecutionResult:
        """One attempt at all videos."""
        resources = {
            "io_manager": {"config": {"root_uri": str(self.root / "tables"), "device": "cpu"}},
            "power": {"config": {"lasts_for": lasts_for, "made": str(self.root / "made")}},
        }
        tags = {"dagster/asset_partition_range_start": KEYS[0], "dagster/asset_partition_range_end": KEYS[-1]}
        if again is not None and type(again) is not dg.ReexecutionOptions:
            tags["dagster/is_resume_retry"] = "true"  # as the daemon's retries and the UI's "from failure" have it
        return dg.execute_job(
            dg.reconstructable(job),
            self.instance,
            run_config={"resources": resources},
            tags=tags,
            reexecution_options=again,
        )

    def made(self) -> list[str]:
        """The videos made since this was asked last."""
        note = self.root / "made"
        made = note.read_text().split() if note.exists() else []
        note.unlink(missing_ok=True)
        return made

    def events(self, run_id: str, asset: dg.AssetKey = ROWS) -> list[str]:
        logs = self.instance.all_logs(run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION)
        found = [entry.dagster_event.step_materialization_data.materialization for entry in logs]
        return [event.partition for event in found if event.asset_key == asset]

    def stored(self, asset: str = "rows") -> list[str]:
        return sorted(pl.read_delta(str(self.root / "tables" / "small" / asset))["video"])

    def latest(self, key: str, asset: dg.AssetKey = ROWS) -> dg.AssetMaterialization:
        asked = dg.AssetRecordsFilter(asset, asset_partitions=[key])
        return self.instance.fetch_materializations(asked, limit=1).records[0].asset_materialization


def test_parts_are_grouped_into_commits_and_the_last_is_known() -> None:
    parts = [Part([key], None) for key in KEYS]
    groups = [([video for part in group for video in part.videos], last) for group, last in by_commit(parts)]
    n = COMMIT_VIDEOS
    assert groups == [(KEYS[:n], False), (KEYS[n : 2 * n], False), (KEYS[2 * n :], True)]
    assert list(by_commit([])) == [([], True)]


def test_what_a_broken_run_has_committed_stays_with_its_events(tmp_path: Path) -> None:
    runs = Runs(tmp_path)
    with runs.run(lasts_for=COMMIT_VIDEOS + 3) as broken:
        assert not broken.success
    assert runs.stored() == runs.events(broken.run_id) == KEYS[:COMMIT_VIDEOS]
    assert runs.stored("shadows") == runs.events(broken.run_id, SHADOWS) == KEYS[:COMMIT_VIDEOS]
    # An event of a stored_earlier video says what Dagster's own would: how many rows, from what, with which numbers.
    event = runs.latest(KEYS[0])
    assert event.metadata["dagster/partition_row_count"].value == event.metadata["n_rows"].value == 1
    assert "dagster/input_data_version/source" in event.tags


def test_the_attempt_after_it_makes_only_what_is_left_and_judges_everything(tmp_path: Path) -> None:
    runs = Runs(tmp_path)
    with runs.run(lasts_for=2 * COMMIT_VIDEOS + 3) as broken:
        runs.made()
    with runs.run(again=dg.ReexecutionOptions.from_failure(broken.run_id, runs.instance)) as resumed:
        assert resumed.success
        checks = [c for c in resumed.get_asset_check_evaluations() if c.partition is None]
    assert runs.made() == KEYS[2 * COMMIT_VIDEOS :]
    assert runs.stored() == runs.stored("shadows") == KEYS
    assert {check.asset_key for check in checks} == {ROWS, SHADOWS}
    assert all(check.passed and check.metadata["n_rows"].value == len(KEYS) for check in checks)
    assert all(runs.latest(key, asset).metadata["n_rows"].value == 1 for key in KEYS for asset in (ROWS, SHADOWS))


def test_a_video_is_landed_when_every_table_of_the_work_says_so(tmp_path: Path) -> None:
    runs = Runs(tmp_path)
    with runs.run(lasts_for=len(KEYS)) as broken:
        runs.made()
    # The last commit's events are Dagster's own: those of one table came, those of the other did not.
    assert (
        sorted(runs.events(broken.run_id)) != sorted(runs.events(broken.run_id, SHADOWS)) == KEYS[: 2 * COMMIT_VIDEOS]
    )
    with runs.run(again=dg.ReexecutionOptions.from_failure(broken.run_id, runs.instance)) as resumed:
        assert resumed.success
        checks = [c for c in resumed.get_asset_check_evaluations() if c.partition is None]
    assert runs.made() == KEYS[2 * COMMIT_VIDEOS :]
    assert all(check.passed and check.metadata["n_rows"].value == len(KEYS) for check in checks)
    for asset in (ROWS, SHADOWS):
        notes = [runs.latest(key, asset).metadata for key in KEYS]
        assert all(note["n_rows"].value == 1 for note in notes)
        assert len({note["delta_version"].value for note in notes}) == 3


def test_every_video_has_one_event_a_run_and_table(tmp_path: Path) -> None:
    runs = Runs(tmp_path)
    with runs.run() as whole:
        assert whole.success
    for asset in (ROWS, SHADOWS):
        assert sorted(runs.events(whole.run_id, asset)) == KEYS
        assert all(runs.latest(key, asset).metadata["n_rows"].value == 1 for key in KEYS)


def test_a_run_that_a_person_starts_again_as_a_whole_makes_everything(tmp_path: Path) -> None:
    runs = Runs(tmp_path)
    with runs.run() as whole:
        assert runs.made() == KEYS
    with runs.run(again=dg.ReexecutionOptions(parent_run_id=whole.run_id)) as again:
        assert again.success and runs.made() == KEYS


def test_what_was_made_before_a_person_wanted_all_again_is_not_taken_for_done(tmp_path: Path) -> None:
    runs = Runs(tmp_path)
    with runs.run() as whole:
        pass
    with runs.run(COMMIT_VIDEOS + 3, again=dg.ReexecutionOptions(parent_run_id=whole.run_id)) as broken:
        runs.made()
    with runs.run(again=dg.ReexecutionOptions.from_failure(broken.run_id, runs.instance)) as resumed:
        assert resumed.success
    assert runs.made() == KEYS[COMMIT_VIDEOS:]


@pytest.mark.parametrize("value", [pl.DataFrame({"video": ["v00"], "detection_id": ["v00/000000/000"]})])
def test_parts_that_leave_a_video_out_or_hold_one_twice_are_refused(tmp_path: Path, value: pl.DataFrame) -> None:
    def run(*parts: Part) -> dg.ExecuteInProcessResult:
        @dg.asset(partitions_def=VIDEOS, backfill_policy=ROW_RUNS)
        def some(context: dg.AssetExecutionContext):
            return dg.MaterializeResult(value=Parts(lambda: parts))

        instance = dg.DagsterInstance.ephemeral()
        instance.add_dynamic_partitions(VIDEOS.name, ["v00", "v01"])
        return dg.materialize(
            grouped("small", [some]),
            instance=instance,
            tags={"dagster/asset_partition_range_start": "v00", "dagster/asset_partition_range_end": "v01"},
            resources={"io_manager": GpuDeltaLakeIOManager(root_uri=str(tmp_path), device="cpu")},
        )

    with pytest.raises(ValueError, match="1 videos of this run are in no part, v01 first"):
        run(Part(["v00"], value))
    with pytest.raises(ValueError, match="not of this run or were stored before"):
        run(Part(["v00"], value), Part(["v00", "v01"], value))
