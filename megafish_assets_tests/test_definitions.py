"""The asset graph, held to the list that the platform promises, in a process with nothing set."""

import json
import subprocess
import sys
from pathlib import Path

from megafish_assets_tests.conftest import REPOSITORY, collection_environment

BACKBONE_ASSETS = {
    "embeddings/{}": "embeddings",
    "pca/{}": "clusters",
    "kmeans_sweep/{}": "clusters",
    "clusters/{}": "clusters",
    "umap/{}": "clusters",
    "montages/{}": "atlas",
}
SHARED_ASSETS = {
    "inference": "detections",
    "raw_detections": "detections",
    "size_limits": "detections",
    "filtered_detections": "detections",
    "sampled_detections": "detections",
    "crops": "crops",
}
PER_VIDEO = {"raw_detections", "filtered_detections", "sampled_detections", "crops"}

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
print(json.dumps({"assets": assets, "jobs": jobs, "heavy": [m for m in ("torch", "timm", "umap") if m in sys.modules]}))
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
    return SHARED_ASSETS | {key.format(b): group for key, group in BACKBONE_ASSETS.items() for b in backbones}


def test_the_graph_is_the_promised_one_to_the_name(tmp_path: Path) -> None:
    graph = described(tmp_path)
    backbones = ["mobilenetv3", "vit", "xcit"]
    assert {key: asset["group"] for key, asset in graph["assets"].items()} == expected_groups(backbones)
    partitioned = {key for key, asset in graph["assets"].items() if asset["partitioned"]}
    assert partitioned == PER_VIDEO | {f"embeddings/{backbone}" for backbone in backbones}
    assert graph["assets"]["filtered_detections"]["parents"] == ["raw_detections", "size_limits"]
    assert graph["assets"]["montages/vit"]["parents"] == ["clusters/vit", "crops"]


def test_every_asset_but_the_external_one_has_its_columns_on_the_definition(tmp_path: Path) -> None:
    assets = described(tmp_path)["assets"]
    assert [key for key, asset in assets.items() if not asset["columns"]] == ["inference"]


def test_backbones_are_chosen_by_the_environment(tmp_path: Path) -> None:
    graph = described(tmp_path, backbones="dinov2,mobilenetv2")
    assert {key: asset["group"] for key, asset in graph["assets"].items()} == expected_groups(["dinov2", "mobilenetv2"])


def test_every_job_selects_something(tmp_path: Path) -> None:
    jobs = described(tmp_path, backbones="vit")["jobs"]
    assert jobs["register_videos"] == []  # an op job: it adds partitions and makes no asset
    assert jobs["per_video_assets"] == [
        "crops",
        "embeddings/vit",
        "filtered_detections",
        "raw_detections",
        "sampled_detections",
    ]
    assert jobs["whole_collection_assets"] == [
        "clusters/vit",
        "kmeans_sweep/vit",
        "montages/vit",
        "pca/vit",
        "umap/vit",
    ]


def test_loading_the_definitions_imports_no_heavy_library(tmp_path: Path) -> None:
    assert described(tmp_path)["heavy"] == []
