"""Sightings and counts of a reef, through a real Dagster instance and real Delta tables."""

import json
from pathlib import Path

import dagster as dg
import polars as pl
import pytest
from deltalake import write_deltalake

from megafish_assets.atlas.assets import draw_tracklets
from megafish_assets.detections.columns import NOT_FISH, RAW
from megafish_assets.detections.tracklet_motion import tracklet_motion
from megafish_assets.detections.tracklets import tracklets
from megafish_assets.footage.columns import Columns
from megafish_assets.orchestration.policy import grouped
from megafish_assets.orchestration.sources import Recordings
from megafish_assets.reef.plan import ReefPlan
from megafish_assets.reporting.figures import Figures
from megafish_assets.sightings.assets import abundance_asset, sightings_asset
from megafish_assets.sightings.gap_assets import animals_gap_asset
from megafish_assets.sightings.linked_assets import linked_tracklets
from megafish_assets.sightings.movement_assets import behavior_asset, moments_asset, movements_asset, schools_asset
from megafish_assets.sightings.richness_assets import richness_asset
from megafish_assets.storage.catalog import Tables, named
from megafish_assets.storage.io_manager import GpuDeltaLakeIOManager
from megafish_assets.storage.partitions import VIDEOS
from megafish_assets_tests.detections.reefs import reef_motion, reef_rows
from megafish_assets_tests.sightings.test_gap import clip

REEF = ReefPlan(videos=3, seed=31, frames=120)
KEYS = [f"megalab_{number:04d}" for number in range(3)]
UPSTREAM = {
    "detections": ["raw_detections", "tracklets", "not_fish", "tracklet_motion"],
    "crops": ["camera_motion", "crops"],
}

OF_VIT = {"clusters": ["kinds", "stability"], "labels": ["classes"]}
MADE = {
    "sightings": sightings_asset("vit"),
    "linked_tracklets": linked_tracklets,
    "abundance": abundance_asset(),
    "richness": richness_asset("vit"),
    "movements": movements_asset(),
    "schools": schools_asset(),
    "behavior": behavior_asset(),
    "moments": moments_asset(),
}


def typed(table: pl.DataFrame, columns: Columns) -> pl.DataFrame:
    given = [name if name in table.columns else pl.lit(None).alias(name) for name in columns]
    return table.select(given).cast({name: column.dtype for name, column in columns.items()})


class Collection:
    """A reef's tables, and what is made of them."""

    def __init__(self, root: Path, stations: str | None = None) -> None:
        self.root, self.instance = root, dg.DagsterInstance.ephemeral()
        self.instance.add_dynamic_partitions(VIDEOS.name, KEYS)
        rows = reef_rows(REEF)
        raw = typed(rows, RAW)
        tracked = tracklets(raw)
        with_ids = rows.join(tracked.select("detection_id", "tracklet_id"), on="detection_id")
        reason = pl.when(pl.col("track_id").is_null()).then(pl.lit("fixed")).alias("reason")
        crops = (
            rows.group_by("video", maintain_order=True)
            .head(50)
            .select(
                "video",
                "detection_id",
                width_px=(pl.col("width_1024") * REEF.size_wh_px[0] / 1024 + 1).round().cast(pl.Int64),
                height_px=(pl.col("height_1024") * REEF.size_wh_px[1] / 1024 + 1).round().cast(pl.Int64),
                clipped_share=0.0,
                fault=pl.lit(None, pl.String),
            )
        )
        self.store("detections/raw_detections", raw)
        self.store("detections/tracklets", tracked)
        self.store("detections/not_fish", typed(rows.with_columns(reason), NOT_FISH))
        self.store("detections/tracklet_motion", tracklet_motion(with_ids, {}))
        self.store("crops/camera_motion", reef_motion(REEF))
        self.store("crops/crops", crops)
        named = with_ids.group_by("tracklet_id").agg(pl.col("kind").mode().sort().first().alias("name"))
        self.classes = named.with_columns(
            name_source=pl.lit("classified"), probability=pl.lit(0.8), labels_version=pl.lit("l1"), video=pl.lit("x")
        )
        if stations is not None:
            (root / "recordings.csv").write_text(stations)

    def store(self, table: str, rows: pl.DataFrame) -> None:
        write_deltalake(str(self.root / "tables" / table), rows.to_arrow(), partition_by=["video"])

    def read(self, asset: str) -> pl.DataFrame:
        return pl.read_delta(str(self.root / "tables/sightings" / asset))

    def made(self, of_all: bool = True, selection: tuple[str, ...] = tuple(MADE)) -> dg.ExecuteInProcessResult:
        upstream = {
            room: [dg.AssetSpec(name, partitions_def=VIDEOS) for name in some] for room, some in UPSTREAM.items()
        }
        if of_all:
            for key in KEYS:
                self.instance.report_runless_asset_event(dg.AssetMaterialization("not_fish", partition=key))
        return dg.materialize(
            [
                *[spec for room, some in upstream.items() for spec in grouped(room, some)],
                *[
                    spec
                    for room, some in OF_VIT.items()
                    for spec in grouped(room, [dg.AssetSpec(named(name, "vit")) for name in some])
                ],
                *grouped("sightings", [*MADE.values(), animals_gap_asset()]),
            ],
            selection=list(selection),
            instance=self.instance,
            resources={
                "io_manager": GpuDeltaLakeIOManager(root_uri=str(self.root / "tables"), device="cpu"),
                "tables": Tables(root=str(self.root / "tables")),
                "figures": Figures(folder=str(self.root / "figures")),
                "recordings": Recordings(
                    folder=str(self.root / "recordings"), owners_table=str(self.root / "recordings.csv")
                ),
            },
        )


@pytest.fixture(scope="module")
def unnamed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Collection, dg.ExecuteInProcessResult]:
    collection = Collection(tmp_path_factory.mktemp("unnamed"), "file,station\nmegalab_0001.mp4,north\n")
    return collection, collection.made()


def test_every_tracklet_of_the_reef_is_one_sighting(unnamed) -> None:
    collection, result = unnamed
    assert result.success and all(check.passed for check in result.get_asset_check_evaluations())
    found = collection.read("sightings")
    tracked = pl.read_delta(str(collection.root / "tables/detections/tracklets"))
    assert sorted(found["tracklet_id"]) == sorted(tracked["tracklet_id"].unique())
    assert found["best_crop"].count() > 0 and found["speed_body_lengths"].count() == 0
    assert found.filter(pl.col("station") == "north")["video"].unique().to_list() == ["megalab_0001"]


def test_before_anybody_names_all_fish_are_counted_as_unnamed(unnamed) -> None:
    table = unnamed[0].read("abundance")
    assert table["kind"].unique().to_list() == ["unnamed"] and table["backbone"].null_count() == table.height
    clips = table.filter(window_kind="clip")
    assert sorted(clips["window"]) == KEYS and clips["max_n"].min() > 0
    assert sorted(table.filter(window_kind="all")["station"].to_list(), key=str) == [None, "north"]


def test_names_that_are_stored_are_counted_under_their_names(tmp_path: Path) -> None:
    collection = Collection(tmp_path)
    collection.store("labels/classes_vit", collection.classes)
    assert collection.made().success
    table = collection.read("abundance").filter(window_kind="all")
    fish = set(reef_rows(REEF).filter(pl.col("track_id").is_not_null())["kind"])
    assert set(table["kind"]) == fish | {"unnamed"}
    assert set(table["backbone"]) == {"vit"} and set(table["labels_version"]) == {"l1"}
    assert table.filter(kind="unnamed")["max_n"].item() == 0
    assert set(table.filter(pl.col("kind") != "unnamed")["name_source"]) == {"classified"}


def test_videos_that_were_not_looked_at_for_what_is_no_fish_are_told(tmp_path: Path) -> None:
    result = Collection(tmp_path).made(of_all=False)
    assert not any(check.passed for check in result.get_asset_check_evaluations())
    assert result.get_asset_check_evaluations()[0].metadata["n_missing_videos"].value == 3


def test_the_frames_that_people_look_at_are_of_videos_that_can_be_read_and_bear_the_boxes_of_fish(unnamed) -> None:
    collection, _ = unnamed
    (collection.root / "recordings").mkdir()
    for key in KEYS[1:]:
        clip(collection.root / f"recordings/{key}.mp4", n_frames=REEF.frames)
    result = collection.made(selection=("animals_gap",))
    table = collection.read("animals_gap")
    assert set(table["video"]) == set(KEYS[1:]) and table.height == 50 == table.n_unique(["video", "frame_id"])
    fish = reef_rows(REEF).filter(pl.col("track_id").is_not_null())
    expected = table.join(fish.group_by("video", "frame_id").len(), on=["video", "frame_id"], how="left")
    assert table["n_boxes"].to_list() == expected["len"].fill_null(0).to_list()
    (check,) = result.get_asset_check_evaluations()
    assert check.passed and check.metadata["n_frames_looked_at"].value == 0
    told = result.asset_materializations_for_node("animals_gap")[0].metadata
    assert told["n_unreadable_frames"].value > 0 and Path(told["page"].path).is_file()


def test_before_anybody_names_no_richness_is_told_and_a_reason_is(unnamed) -> None:
    table = unnamed[0].read("richness")
    n_clips = {(None, "named"): 3, ("north", "named"): 1, (None, "kinds"): 3, ("north", "kinds"): 1}
    assert {(station, of): n for station, of, n in table.select("station", "of", "n_clips").rows()} == n_clips
    assert table["chao2"].null_count() == table.height == 4
    assert table.filter(of="kinds")["note"].unique().to_list() == [
        "refused: stability says of no kind whether it is sure"
    ]


def test_movements_are_those_of_counted_sightings(unnamed) -> None:
    collection = unnamed[0]
    moved, found = collection.read("movements"), collection.read("sightings")
    counted = found.filter("is_counted")["tracklet_id"]
    assert set(moved["tracklet_id"]) <= set(counted)
    # Nine in ten are in view in the middle of some third of a second.
    assert moved["tracklet_id"].n_unique() > 0.9 * len(counted)
    assert moved["speed_x"].null_count() < 0.1 * moved.height


def test_groups_are_of_sightings_that_are_near_each_other(unnamed) -> None:
    groups = unnamed[0].read("schools")
    assert set(groups["of"]) == {"kind", "any"} and groups["n_members"].min() >= 3
    # Nothing bears a name yet, so a group of unnamed ones is one of any.
    same = [groups.filter(of=of).drop("of", "kind").sort("video", "seconds", "group") for of in ("kind", "any")]
    assert same[0].equals(same[1])


def test_what_is_worth_a_look_opens_its_video_at_the_second(unnamed) -> None:
    collection, result = unnamed
    table = collection.read("moments").sort("rank")
    assert table["rank"].to_list() == list(range(1, table.height + 1)) and "dense_group" in set(table["reason"])
    first = table.row(0, named=True)
    assert first["open"] == f"{first['video']}.mp4#t={max(0.0, first['seconds'] - 1):.1f}"
    assert first["film"] == f"tracklets/{first['open']}"
    told = result.asset_materializations_for_node("moments")[0].metadata
    config = json.loads(told["films"].value.split("```")[1])
    assert config["ops"]["film_tracklets"]["config"]["videos"][0] == first["video"]
    assert dg.validate_run_config(draw_tracklets, config)
    assert f"{collection.root}/recordings/{first['open']}" in told["look_here"].value


def test_behavior_has_a_row_a_kind_and_one_of_any(unnamed) -> None:
    table = unnamed[0].read("behavior")
    assert sorted(table["of"]) == ["any", "kind"]
    assert table["n_tracklets"].unique().to_list() == [unnamed[0].read("sightings")["is_counted"].sum()]
    assert table["note"].str.contains("no interval of the right share: fewer than 20 clips").all()
