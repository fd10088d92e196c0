"""What is unfinished, told from events as they are recorded."""

import dagster as dg
import pytest

from megafish_assets.orchestration.jobs import unfinished
from megafish_assets.storage.partitions import VIDEOS


@dg.asset(partitions_def=VIDEOS)
def rows() -> None: ...


@dg.asset(partitions_def=VIDEOS, deps=[rows])
def crops() -> None: ...


@dg.asset(partitions_def=VIDEOS, deps=[crops])
def vectors() -> None: ...


GRAPH = dg.Definitions(assets=[rows, crops, vectors]).get_repository_def().asset_graph


@pytest.fixture
def instance() -> dg.DagsterInstance:
    """Two videos, wholly made."""
    made = dg.DagsterInstance.ephemeral()
    made.add_dynamic_partitions(VIDEOS.name, ["a", "b"])
    for asset in ("rows", "crops", "vectors"):
        for video in ("a", "b"):
            made.report_runless_asset_event(dg.AssetMaterialization(asset, partition=video))
    return made


def found(instance: dg.DagsterInstance, set_aside: tuple[str, ...] = ()) -> dict[str, set[str]]:
    return {key.to_user_string(): videos for key, videos in unfinished(instance, GRAPH, list(set_aside)).items()}


def test_what_is_wholly_made_is_finished(instance: dg.DagsterInstance) -> None:
    assert found(instance) == {"rows": set(), "crops": set(), "vectors": set()}


def test_a_new_video_and_one_made_again_further_up_are_unfinished(instance: dg.DagsterInstance) -> None:
    instance.add_dynamic_partitions(VIDEOS.name, ["new"])
    instance.report_runless_asset_event(dg.AssetMaterialization("rows", partition="b"))
    assert found(instance) == {"rows": {"new"}, "crops": {"new", "b"}, "vectors": {"new", "b"}}


def test_a_set_aside_video_is_made_again_from_its_rows_on(instance: dg.DagsterInstance) -> None:
    assert found(instance, ("a", "removed")) == {"rows": {"a"}, "crops": {"a"}, "vectors": {"a"}}
