"""What counts as missing, on a real instance."""

import shutil
from pathlib import Path

import dagster as dg
import polars as pl
import pytest
from dagster._core.events import DagsterEvent, DagsterEventType, StepMaterializationData

from megafish_assets.orchestration.arrivals import VIDEO_BYTES
from megafish_assets.orchestration.materialise import asset_named, asset_order, from_here_on, run_step
from megafish_assets.orchestration.policy import MAY_LACK, grouped, with_knobs
from megafish_assets.orchestration.sources import STATIONS, read_stations, stations_version
from megafish_assets.orchestration.staleness import Collection
from megafish_assets.orchestration.upkeep import made
from megafish_assets.storage.io_manager import GpuDeltaLakeIOManager
from megafish_assets.storage.partitions import ROW_RUNS, VIDEOS, last_made
from megafish_assets.storage.parts import KNOBS_VERSION, Part, Parts, StoredBeside
from megafish_assets_tests.storage.small_platform import ASSETS


def platform(root: Path, assets: list = ASSETS) -> dg.Definitions:
    return dg.Definitions(
        assets=assets, resources={"io_manager": GpuDeltaLakeIOManager(root_uri=str(root), device="cpu")}
    )


def run(defs: dg.Definitions, name: str, keys: tuple[str, ...], instance: dg.DagsterInstance) -> None:
    result = run_step(defs.resolve_implicit_global_asset_job_def(), dg.AssetKey(name), keys, instance)
    assert result.success


def bring(
    root: Path, defs: dg.Definitions, instance: dg.DagsterInstance, **arrived: str
) -> dict[str, list[tuple[str, ...]]]:
    """Everything brought up to date, of two rows a video or of rows with these fingerprints; the partitions of each run
    by asset."""
    there = dict.fromkeys(instance.get_dynamic_partitions(VIDEOS.name), "2-7")
    collection, runs = Collection(defs.resolve_asset_graph(), instance, str(root), there | arrived), {}
    foreseen = collection.unfinished()
    for key in asset_order(defs):
        for keys in list(collection.missing(key)):
            run(defs, key.to_user_string(), keys, instance)
            runs.setdefault(key.to_user_string(), []).append(keys)
    # What `retry_failed_videos` would have made is what the command has made.
    for key, videos in foreseen.items():
        if key in asset_order(defs):
            assert videos == {video for keys in runs.get(key.to_user_string(), []) for video in keys}
    return runs


def test_everything_is_made_once_and_then_nothing(tmp_path: Path) -> None:
    defs, instance = platform(tmp_path), dg.DagsterInstance.ephemeral()
    instance.add_dynamic_partitions(VIDEOS.name, ["a", "b", "c"])
    whole = ("a", "b", "c")
    assert bring(tmp_path, defs, instance) == {"rows": [whole], "doubled": [whole], "everything": [()]}
    assert bring(tmp_path, defs, instance) == {}


def test_a_new_video_makes_its_own_partitions_and_the_collection_again(tmp_path: Path) -> None:
    defs, instance = platform(tmp_path), dg.DagsterInstance.ephemeral()
    instance.add_dynamic_partitions(VIDEOS.name, ["a", "b"])
    bring(tmp_path, defs, instance)
    instance.add_dynamic_partitions(VIDEOS.name, ["c"])
    assert bring(tmp_path, defs, instance) == {"rows": [("c",)], "doubled": [("c",)], "everything": [()]}


def test_a_partition_made_again_remakes_what_follows_from_it_alone(tmp_path: Path) -> None:
    defs, instance = platform(tmp_path), dg.DagsterInstance.ephemeral()
    instance.add_dynamic_partitions(VIDEOS.name, ["a", "b", "c"])
    bring(tmp_path, defs, instance)
    run(defs, "rows", ("b",), instance)
    assert bring(tmp_path, defs, instance) == {"doubled": [("b",)], "everything": [()]}


def test_a_gap_splits_a_range_and_no_run_is_longer_than_the_policy_says(tmp_path: Path) -> None:
    defs, instance = platform(tmp_path), dg.DagsterInstance.ephemeral()
    keys = [f"v{number:03d}" for number in range(ROW_RUNS.max_partitions_per_run + 3)]
    instance.add_dynamic_partitions(VIDEOS.name, keys)
    run(defs, "rows", ("v001",), instance)
    runs = list(
        Collection(defs.resolve_asset_graph(), instance, str(tmp_path), dict.fromkeys(keys, "2-7")).missing(
            dg.AssetKey("rows")
        )
    )
    assert [len(run) for run in runs] == [1, ROW_RUNS.max_partitions_per_run, 1]
    assert [key for run in runs for key in run] == [key for key in keys if key != "v001"]


def test_another_code_version_remakes_every_partition(tmp_path: Path) -> None:
    def versioned(version: str) -> list:
        @dg.asset(partitions_def=VIDEOS, backfill_policy=ROW_RUNS, code_version=version)
        def rows(context: dg.AssetExecutionContext) -> pl.DataFrame:
            return pl.DataFrame({"video": context.partition_keys, "detection_id": context.partition_keys})

        return grouped("small", [rows])

    instance, one_row = dg.DagsterInstance.ephemeral(), {"a": "1-7", "b": "1-7"}
    instance.add_dynamic_partitions(VIDEOS.name, ["a", "b"])
    assert bring(tmp_path, platform(tmp_path, versioned("1")), instance, **one_row) == {"rows": [("a", "b")]}
    assert bring(tmp_path, platform(tmp_path, versioned("1")), instance, **one_row) == {}
    # One partition of the new version leaves the other out of date, though the asset's last event is new.
    newer = platform(tmp_path, versioned("2"))
    run(newer, "rows", ("b",), instance)
    assert bring(tmp_path, newer, instance, **one_row) == {"rows": [("a",)]}


def test_knobs_that_are_set_changed_or_taken_out_make_an_asset_again(tmp_path: Path) -> None:
    def knobs(**of_everything: int) -> dg.Definitions:
        versions = {"everything": f"{KNOBS_VERSION}{of_everything}"} if of_everything else {}
        return platform(tmp_path, with_knobs(ASSETS, versions))

    instance = dg.DagsterInstance.ephemeral()
    instance.add_dynamic_partitions(VIDEOS.name, ["a"])
    bring(tmp_path, knobs(), instance)
    for again in ({"k": 4}, {"k": 5}, {}):
        assert bring(tmp_path, knobs(**again), instance) == {"everything": [()]}
        assert bring(tmp_path, knobs(**again), instance) == {}


def test_rows_that_arrived_later_are_made_and_what_follows_from_them(tmp_path: Path) -> None:
    defs, instance = platform(tmp_path), dg.DagsterInstance.ephemeral()
    instance.add_dynamic_partitions(VIDEOS.name, ["a", "b"])
    bring(tmp_path, defs, instance, a="2-7", b="2-7")
    assert bring(tmp_path, defs, instance, a="2-7", b="2-7") == {}
    assert bring(tmp_path, defs, instance, a="2-7", b="5-7")["rows"] == [("b",)]


def test_a_video_file_that_comes_or_is_another_makes_its_rows_again_and_one_that_goes_makes_nothing(
    tmp_path: Path,
) -> None:
    @dg.asset(partitions_def=VIDEOS, backfill_policy=ROW_RUNS)
    def rows(context: dg.AssetExecutionContext) -> pl.DataFrame:
        for key in context.partition_keys:
            context.add_asset_metadata({VIDEO_BYTES: {"a": 10, "b": 0}[key]}, partition_key=key)
        return pl.DataFrame({"video": context.partition_keys, "detection_id": context.partition_keys})

    defs, instance = platform(tmp_path, grouped("small", [rows])), dg.DagsterInstance.ephemeral()
    instance.add_dynamic_partitions(VIDEOS.name, ["a", "b"])
    arrived = {"a": "1-7", "b": "1-7"}
    bring(tmp_path, defs, instance, **arrived)
    for there, wanted in (({"a": 10}, []), ({"a": 10, "b": 5}, [("b",)]), ({"a": 11}, [("a",)]), ({}, [])):
        collection = Collection(defs.resolve_asset_graph(), instance, str(tmp_path), arrived, there)
        assert list(collection.missing(dg.AssetKey("rows"))) == wanted


def test_a_video_set_aside_is_made_again_from_its_rows_on(tmp_path: Path) -> None:
    defs, instance = platform(tmp_path), dg.DagsterInstance.ephemeral()
    instance.add_dynamic_partitions(VIDEOS.name, ["a", "b"])
    bring(tmp_path, defs, instance)
    collection = Collection(defs.resolve_asset_graph(), instance, str(tmp_path), {"a": "2-7", "b": "2-7"})
    wanted = collection.unfinished(again=["a", "removed"])
    assert {key.to_user_string(): videos for key, videos in wanted.items()} == {"rows": {"a"}, "doubled": {"a"}}


def test_a_video_that_left_the_detectors_table_is_not_made_again(tmp_path: Path) -> None:
    defs, instance = platform(tmp_path), dg.DagsterInstance.ephemeral()
    instance.add_dynamic_partitions(VIDEOS.name, ["a", "b"])
    bring(tmp_path, defs, instance)
    collection = Collection(defs.resolve_asset_graph(), instance, str(tmp_path), {"a": "2-7"})
    assert set().union(*collection.unfinished(again=["b"]).values()) == set()


def test_an_event_that_a_person_reported_has_no_count_and_stops_nothing(tmp_path: Path) -> None:
    defs, instance = platform(tmp_path), dg.DagsterInstance.ephemeral()
    instance.add_dynamic_partitions(VIDEOS.name, ["a"])
    bring(tmp_path, defs, instance)
    instance.report_runless_asset_event(dg.AssetMaterialization("doubled", partition="a"))
    assert bring(tmp_path, defs, instance) == {}


def test_a_removed_video_makes_what_saw_it_again(tmp_path: Path) -> None:
    @dg.asset
    def everything(context: dg.AssetExecutionContext) -> pl.DataFrame:
        n_videos = len(context.instance.get_dynamic_partitions(VIDEOS.name))
        context.add_output_metadata({"n_videos_expected": n_videos})
        return pl.DataFrame({"n": [n_videos]})

    defs, instance = platform(tmp_path, grouped("small", [everything])), dg.DagsterInstance.ephemeral()
    instance.add_dynamic_partitions(VIDEOS.name, ["a", "b"])
    assert bring(tmp_path, defs, instance) == {"everything": [()]}
    assert bring(tmp_path, defs, instance) == {}
    instance.delete_dynamic_partition(VIDEOS.name, "b")
    assert bring(tmp_path, defs, instance) == {"everything": [()]}
    assert bring(tmp_path, defs, instance) == {}


def test_an_asset_that_a_person_wants_again_is_made_again_with_all_that_follows(tmp_path: Path) -> None:
    defs, instance = platform(tmp_path), dg.DagsterInstance.ephemeral()
    instance.add_dynamic_partitions(VIDEOS.name, ["a", "b"])
    bring(tmp_path, defs, instance)
    again = from_here_on(defs, instance, asset_named(defs, "doubled"))
    wanted = Collection(defs.resolve_asset_graph(), instance, str(tmp_path), {"a": "2-7", "b": "2-7"}, again=again)
    assert list(wanted.missing(dg.AssetKey("rows"))) == []
    assert list(wanted.missing(dg.AssetKey("doubled"))) == [("a", "b")]
    run(defs, "doubled", ("a", "b"), instance)
    assert list(wanted.missing(dg.AssetKey("doubled"))) == []
    # A video that has left the detector's table has no rows there to be made from: what is stored of it stays.
    left = Collection(
        defs.resolve_asset_graph(),
        instance,
        str(tmp_path),
        {"a": "2-7"},
        again=from_here_on(defs, instance, asset_named(defs, "rows")),
    )
    assert list(left.missing(dg.AssetKey("rows"))) == [("a",)]
    with pytest.raises(ValueError, match=r"no asset 'crop'.*rows, doubled, everything"):
        asset_named(defs, "crop")


def test_more_videos_than_dagster_gives_at_once_are_asked_for_in_pieces(tmp_path: Path) -> None:
    """Dagster refuses to give more than 10,000 records."""
    keys = [f"v{number:05d}" for number in range(10_001)]
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions(VIDEOS.name, keys)
        job = platform(tmp_path).resolve_implicit_global_asset_job_def()
        run_id = instance.create_run_for_job(job).run_id
        events = [
            dg.EventLogEntry(
                error_info=None,
                level=20,
                user_message="",
                run_id=run_id,
                timestamp=1.0,
                dagster_event=DagsterEvent(
                    DagsterEventType.ASSET_MATERIALIZATION.value,
                    job.name,
                    event_specific_data=StepMaterializationData(dg.AssetMaterialization("rows", partition=key)),
                ),
            )
            for key in keys
        ]
        instance.event_log_storage.store_event_batch(events)
        found = last_made(instance, dg.AssetKey("rows"))
        assert sorted(found) == keys
        assert all(record.partition_key == key for key, record in found.items())


def test_a_table_that_was_deleted_is_made_again(tmp_path: Path) -> None:
    defs, instance = platform(tmp_path), dg.DagsterInstance.ephemeral()
    instance.add_dynamic_partitions(VIDEOS.name, ["a", "b"])
    bring(tmp_path, defs, instance)
    shutil.rmtree(tmp_path / "small" / "doubled")
    assert bring(tmp_path, defs, instance) == {"doubled": [("a", "b")]}
    shutil.rmtree(tmp_path / "small" / "everything")
    assert bring(tmp_path, defs, instance) == {"everything": [()]}


def test_what_one_work_makes_is_one_run_whichever_table_is_gone(tmp_path: Path) -> None:
    @dg.multi_asset(
        name="rows",
        outs={"rows": dg.AssetOut(), "an_earlier_name": dg.AssetOut()},
        partitions_def=VIDEOS,
        backfill_policy=ROW_RUNS,
    )
    def rows(context: dg.AssetExecutionContext):
        frame = pl.DataFrame({"video": context.partition_keys, "detection_id": context.partition_keys})
        beside = {"an_earlier_name": Part(context.partition_keys, frame)}
        yield dg.Output(Parts(lambda: [Part(context.partition_keys, frame, beside=beside)]), output_name="rows")
        yield dg.Output(StoredBeside(), output_name="an_earlier_name")

    defs, instance = platform(tmp_path, grouped("small", [rows])), dg.DagsterInstance.ephemeral()
    instance.add_dynamic_partitions(VIDEOS.name, ["a", "b"])
    one_row = {"a": "1-7", "b": "1-7"}
    assert asset_order(defs) == [dg.AssetKey("rows")]
    assert bring(tmp_path, defs, instance, **one_row) == {"rows": [("a", "b")]}
    assert bring(tmp_path, defs, instance, **one_row) == {}
    shutil.rmtree(tmp_path / "small" / "an_earlier_name")
    assert bring(tmp_path, defs, instance, **one_row) == {"rows": [("a", "b")]}


def test_other_stations_make_again_what_was_counted_by_them_and_nothing_else(tmp_path: Path) -> None:
    instance, owners = dg.DagsterInstance.ephemeral(), tmp_path / "recordings.csv"

    @dg.asset
    def by_station():
        return dg.MaterializeResult(
            value=pl.DataFrame({"n": [1]}), metadata={STATIONS: stations_version(read_stations(str(owners)))}
        )

    defs = platform(tmp_path / "tables", [*ASSETS, *grouped("counts", [by_station])])
    instance.add_dynamic_partitions(VIDEOS.name, ["a"])

    def missing() -> list[str]:
        collection = Collection(
            defs.resolve_asset_graph(),
            instance,
            str(tmp_path / "tables"),
            {"a": "2-7"},
            stations=stations_version(read_stations(str(owners))),
        )
        return [key.to_user_string() for key in asset_order(defs) if list(collection.missing(key))]

    bring(tmp_path / "tables", defs, instance)
    assert missing() == []
    owners.write_text("file,station\na.mp4,north\n")
    assert missing() == ["by_station"]
    run(defs, "by_station", (), instance)
    assert missing() == []
    owners.write_text("file,station,latitude,longitude\nb.mp4,,1,2\na.mp4,north,1,2\n")  # no other station
    assert missing() == []
    owners.unlink()
    assert missing() == ["by_station"]


@pytest.mark.parametrize("tags", [{}, MAY_LACK])
@pytest.mark.parametrize("ends", ["without a row", "in an error"])
def test_what_may_lack_stops_nothing_though_it_holds_no_row_or_fails(tmp_path: Path, tags: dict, ends: str) -> None:
    @dg.asset(partitions_def=VIDEOS, backfill_policy=ROW_RUNS, tags=tags)
    def beside(rows: pl.DataFrame) -> pl.DataFrame:
        if ends == "in an error":
            raise RuntimeError("no memory on the card")
        return rows.clear()

    @dg.asset(deps=[beside])
    def named(rows: pl.DataFrame) -> pl.DataFrame:
        return rows.select(n=pl.len().cast(pl.Int64))

    defs, instance = platform(tmp_path, [*ASSETS, *grouped("small", [beside, named])]), dg.DagsterInstance.ephemeral()
    instance.add_dynamic_partitions(VIDEOS.name, ["a"])
    collection = Collection(defs.resolve_asset_graph(), instance, str(tmp_path), {"a": "2-7"})
    failed = made(defs, collection, [dg.AssetKey(name) for name in ("rows", "beside", "named")]).failed
    lacks = {"without a row": [], "in an error": ["beside"]}[ends]
    assert failed == (lacks if tags else ["beside", "named"])
