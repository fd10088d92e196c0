"""The asset graph, held to the list that the platform promises, in a process with nothing set."""

import json
import subprocess
import sys
from pathlib import Path

from megafish_assets_tests.conftest import REPOSITORY, collection_environment

BACKBONE_ASSETS = {
    "embeddings_{}": "embeddings",
    "pca_{}": "features",
    "whitening_{}": "features",
    "features_{}": "features",
    "umap_{}": "features",
    "neighbors_{}": "features",
    "kmeans_sweep_{}": "clusters",
    "clusters_{}": "clusters",
    "kinds_{}": "clusters",
    "kind_events_{}": "clusters",
    "stability_{}": "clusters",
    "kind_tree_{}": "clusters",
    "confounders_{}": "evaluation",
    "classes_{}": "labels",
    "name_next_{}": "labels",
    "montages_{}": "atlas",
}
SHARED_ASSETS = {
    "inference": "detections",
    "raw_detections": "detections",
    "tracklets": "detections",
    "size_limits": "detections",
    "lens_places": "detections",
    "filtered_detections": "detections",
    "sampled_detections": "detections",
    "small_detections": "detections",
    "crops": "crops",
    "small_crops": "crops",
    "camera_motion": "crops",
    "place_reasons": "detections",
    "not_fish": "detections",
    "tracklet_motion": "detections",
    "leaderboard": "evaluation",
    "labels": "labels",
    "words": "labels",
    "review": "labels",
    "explorer": "atlas",
    "report": "atlas",
    "sightings": "sightings",
    "abundance": "sightings",
    "animals_gap": "sightings",
    "linked_tracklets": "sightings",
    "richness": "sightings",
    "movements": "sightings",
    "schools": "sightings",
    "behavior": "sightings",
    "moments": "sightings",
    "spreadsheet": "exports",
    "darwin_core": "exports",
    "camtrap_dp": "exports",
    "coco": "exports",
    "viame_csv": "exports",
    "yolo": "exports",
    "global_archive": "exports",
}
PER_VIDEO = {
    "raw_detections",
    "tracklets",
    "filtered_detections",
    "sampled_detections",
    "small_detections",
    "crops",
    "small_crops",
    "camera_motion",
    "not_fish",
    "tracklet_motion",
}

DESCRIBE = """
import json, sys
from megafish_assets.definitions import defs
graph = defs.resolve_asset_graph()
assets = {key.to_user_string(): {
    "group": graph.get(key).group_name,
    "partitioned": graph.get(key).partitions_def is not None,
    "parents": sorted(parent.to_user_string() for parent in graph.get(key).parent_keys),
    "columns": "dagster/column_schema" in graph.get(key).metadata,
} for key in graph.get_all_asset_keys()}
jobs = {job.name: sorted(key.to_user_string() for key in job.asset_layer.executable_asset_keys)
        for job in defs.resolve_all_job_defs() if not job.name.startswith("__")}
repository = defs.get_repository_def()
sensors = {s.name: s.default_status.name for s in repository.sensor_defs}
schedules = {s.name: [s.cron_schedule, s.execution_timezone, s.default_status.name] for s in repository.schedule_defs}
heavy = [m for m in ("torch", "timm", "umap") if m in sys.modules]
print(json.dumps({"assets": assets, "jobs": jobs, "sensors": sensors, "schedules": schedules, "heavy": heavy}))
"""


def described(root: Path, **settings: str) -> dict:
    finished = subprocess.run(
        [sys.executable, "-c", DESCRIBE],
        cwd=REPOSITORY,
        env=collection_environment(root, **settings),
        capture_output=True,
        text=True,
    )
    assert finished.returncode == 0, finished.stderr
    return json.loads(finished.stdout)


def expected_groups(backbones: list[str]) -> dict[str, str]:
    of_first = {f"small_embeddings_{backbones[0]}": "embeddings"}  # by which names are given
    return (
        SHARED_ASSETS | of_first | {key.format(b): group for key, group in BACKBONE_ASSETS.items() for b in backbones}
    )


def test_the_graph_is_the_promised_one_to_the_name(tmp_path: Path) -> None:
    graph = described(tmp_path)
    backbones = ["mobilenetv3", "vit", "xcit"]
    assert {key: asset["group"] for key, asset in graph["assets"].items()} == expected_groups(backbones)
    partitioned = {key for key, asset in graph["assets"].items() if asset["partitioned"]}
    embedded = {f"embeddings_{backbone}" for backbone in backbones} | {"small_embeddings_mobilenetv3"}
    assert partitioned == PER_VIDEO | embedded
    assert graph["assets"]["filtered_detections"]["parents"] == ["raw_detections", "size_limits"]
    parents = ["classes_vit", "clusters_vit", "crops", "kinds_vit", "sampled_detections", "stability_vit"]
    assert graph["assets"]["montages_vit"]["parents"] == parents
    # Of the first backbone, by which names are given.
    of_first = [f"{name}_mobilenetv3" for name in ("classes", "clusters", "kinds", "stability")]
    small = ["small_crops", "small_detections"]
    parents = sorted([*of_first, *small, "crops", "lens_places", "sampled_detections"])
    assert graph["assets"]["review"]["parents"] == parents
    seen = [f"{name}_mobilenetv3" for name in ("classes", "clusters", "features", "kinds", "neighbors")]
    assert graph["assets"]["explorer"]["parents"] == sorted([*seen, "crops", "not_fish", "sampled_detections"])
    read = [f"{name}_mobilenetv3" for name in ("classes", "confounders", "kinds", "montages", "stability")]
    read += ["abundance", "animals_gap", "crops", "labels", "raw_detections", "richness", "sightings", "tracklets"]
    read += ["behavior", "moments", "schools", "small_crops", "words"]
    assert graph["assets"]["report"]["parents"] == sorted(read)
    embedded = [f"embeddings_{backbone}" for backbone in backbones]
    read = [*embedded, "crops", "sampled_detections", "tracklets", "words"]
    assert graph["assets"]["leaderboard"]["parents"] == sorted(read)
    assert "words" in graph["assets"]["confounders_vit"]["parents"]
    assert {*small, "small_embeddings_mobilenetv3"} < set(graph["assets"]["classes_mobilenetv3"]["parents"])
    assert not [parent for parent in graph["assets"]["classes_vit"]["parents"] if parent.startswith("small")]
    readers = {key for key, asset in graph["assets"].items() if "small_crops" in asset["parents"]}
    named = {f"{name}_mobilenetv3" for name in ("classes", "name_next", "small_embeddings")}
    assert readers == named | {"report", "review", "sightings"}


def test_every_asset_but_the_external_one_has_its_columns_on_the_definition(tmp_path: Path) -> None:
    assets = described(tmp_path)["assets"]
    assert [key for key, asset in assets.items() if not asset["columns"]] == ["inference"]


def test_backbones_are_chosen_by_the_environment(tmp_path: Path) -> None:
    graph = described(tmp_path, backbones="dinov2,mobilenetv2")
    assert {key: asset["group"] for key, asset in graph["assets"].items()} == expected_groups(["dinov2", "mobilenetv2"])


def test_every_job_selects_something(tmp_path: Path) -> None:
    jobs = described(tmp_path, backbones="vit")["jobs"]
    of_vit = [
        "clusters",
        "classes",
        "features",
        "kind_events",
        "kind_tree",
        "kinds",
        "kmeans_sweep",
        "montages",
        "name_next",
        "neighbors",
        "pca",
        "confounders",
        "stability",
        "umap",
        "whitening",
    ]
    whole = [
        "abundance",
        "animals_gap",
        "explorer",
        "labels",
        "leaderboard",
        "lens_places",
        "linked_tracklets",
        "place_reasons",
        "report",
        "review",
        "sightings",
        "size_limits",
        "words",
    ]
    whole += ["behavior", "moments", "movements", "richness", "schools"]
    whole += ["spreadsheet"]
    assert jobs.pop("nightly_analysis") == sorted([*(f"{name}_vit" for name in of_vit), *whole])
    # Jobs of ops: they make no asset in their own run.
    ops = [
        "draw_tracklets",
        "register_videos",
        "remove_videos",
        "restate_filtered",
        "retry_failed_videos",
        "table_maintenance",
    ]
    assert jobs == {name: [] for name in ops}


def test_sensors_and_schedules_run_by_default(tmp_path: Path) -> None:
    found = described(tmp_path, backbones="vit", timezone="Europe/Lisbon")
    assert found["sensors"] == {
        "new_labels": "RUNNING",
        "new_videos": "RUNNING",
        "retry_set_aside_videos": "RUNNING",
    }
    assert found["schedules"] == {
        "nightly_analysis": ["0 2 * * *", "Europe/Lisbon", "RUNNING"],
        "table_maintenance": ["0 5 * * 0", "Europe/Lisbon", "RUNNING"],
    }


def test_loading_the_definitions_imports_no_heavy_library(tmp_path: Path) -> None:
    assert described(tmp_path)["heavy"] == []


CANARIES = """
import json
import dagster as dg
from megafish_assets.definitions import defs
told, taken = [], []
def tried(job, config):
    try:
        dg.validate_run_config(job, config)
    except dg.DagsterInvalidConfigError as refused:
        told.append(str(refused))
        return False
    return True
for job in defs.resolve_all_job_defs():
    for name, resource in job.resource_defs.items():
        for config in ({"folder": "x"}, {"uri": {"env": "CANARY"}}, {"root_uri": "x"}, {}):
            if config and tried(job, {"resources": {name: {"config": config}}}):
                taken.append([job.name, name])
    for node in job.all_node_defs:
        fields = getattr(node.config_schema.as_field().config_type, "fields", {})
        for field in fields:
            for value in ({"env": "CANARY"}, [{"env": "CANARY"}]):
                if tried(job, {"ops": {node.name: {"config": {field: value}}}}):
                    taken.append([job.name, node.name, field])
print(json.dumps({"told": told, "taken": taken}))
"""


def test_a_run_can_neither_go_elsewhere_nor_tell_what_the_environment_holds(tmp_path: Path) -> None:
    finished = subprocess.run(
        [sys.executable, "-c", CANARIES],
        cwd=REPOSITORY,
        env=collection_environment(tmp_path, backbones="vit") | {"CANARY": "sing-sing"},
        capture_output=True,
        text=True,
    )
    assert finished.returncode == 0, finished.stderr
    found = json.loads(finished.stdout)
    assert found["taken"] == [] and len(found["told"]) > 100
    assert "sing-sing" not in finished.stdout + finished.stderr
