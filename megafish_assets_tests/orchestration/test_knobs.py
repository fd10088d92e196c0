"""The collection's file of knobs: what it says holds everywhere, and what it can't say is refused in a sentence."""

import json
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from megafish_assets.clusters.assets import ClustersConfig
from megafish_assets.detections.assets import SampleConfig
from megafish_assets.features.assets import UmapConfig
from megafish_assets.orchestration.knobs import Knobs
from megafish_assets_tests.conftest import REPOSITORY, bring_up_to_date, collection_environment

STOCK = {"clusters": ClustersConfig, "umap": UmapConfig, "sampled_detections": SampleConfig}


def knobs(root: Path, text: str) -> Knobs:
    (root / "megafish.toml").write_text(text)
    return Knobs.read(root / "megafish.toml")


def test_without_a_file_every_knob_is_at_its_own_default(tmp_path: Path) -> None:
    found = Knobs.read(tmp_path / "megafish.toml")
    assert found.configs(STOCK) == STOCK
    assert found.versions(STOCK) == {}
    assert (found.cron("nightly"), found.cron("weekly")) == ("0 2 * * *", "0 5 * * 0")


def test_what_the_file_says_is_the_default_and_can_still_be_changed(tmp_path: Path) -> None:
    found = knobs(tmp_path, '[clusters]\nk = 7\nrecipe = "notebook"\n[sampled_detections]\nat_least = 0\n')
    configs = found.configs(STOCK)
    assert (configs["clusters"]().k, configs["clusters"]().recipe, configs["clusters"]().seed) == (7, "notebook", 42)
    assert configs["clusters"](k=3).k == 3
    assert configs["clusters"]().chosen().k == 7
    assert configs["sampled_detections"]().at_least == 0
    assert configs["umap"] is UmapConfig
    # The class that others use is as it was.
    assert ClustersConfig().k is None


def test_a_value_of_a_near_type_is_the_knobs_own(tmp_path: Path) -> None:
    """As TOML's authors write it: 12.0 for 12, with Notepad's mark before it."""
    found = knobs(tmp_path, '\ufeff[clusters]\nk = 12.0\n[sampled_detections]\nat_most = "5"\n').configs(STOCK)
    assert repr(found["clusters"]().k) == "12" and repr(found["sampled_detections"]().at_most) == "5"


def test_a_folder_of_that_name_is_refused(tmp_path: Path) -> None:
    (tmp_path / "megafish.toml").mkdir()
    with pytest.raises(ValueError, match="no file that can be read"):
        Knobs.read(tmp_path / "megafish.toml")


def test_a_consensus_needs_no_layout_and_takes_a_k(tmp_path: Path) -> None:
    recipe = knobs(tmp_path, '[clusters]\ngrouping = "consensus"\nk = 9\n').configs(STOCK)["clusters"]().chosen()
    assert (recipe.grouping, recipe.space, recipe.k) == ("consensus", "features", 9)
    recipe = (
        knobs(tmp_path, '[clusters]\ngrouping = "consensus"\nspace = "umap"\n').configs(STOCK)["clusters"]().chosen()
    )
    assert (recipe.space, recipe.k) == ("umap", None)


def test_bounds_and_descriptions_stay(tmp_path: Path) -> None:
    config = knobs(tmp_path, "[umap]\nn_components = 3\n").configs(STOCK)["umap"]
    assert config.model_fields["n_components"].description == UmapConfig.model_fields["n_components"].description
    with pytest.raises(ValueError, match="less than or equal to 16"):
        config(n_components=17)


def test_versions_change_with_the_values_alone(tmp_path: Path) -> None:
    def version(text: str) -> str | None:
        return knobs(tmp_path, text).versions(STOCK).get("clusters")

    one = version("[clusters]\nk = 7\nseed = 1\n")
    assert one == version("# k by eye\n[clusters]\nseed = 1\nk = 7.0\n") != version("[clusters]\nk = 8\nseed = 1\n")
    # What is written down at its default changes nothing.
    assert version("[clusters]\nseed = 42\n") is None
    assert one == version("[clusters]\nk = 7\nseed = 1\nrecipe = 'default'\n")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[clusters\n", "is not TOML"),
        ("k = 4\n", r"k = 4 stands in no section"),
        (
            "[cluster]\nk = 4\n",
            r"no section \[cluster\], out of: schedules, names, site, clusters, umap, sampled_detections",
        ),
        ("[clusters]\nn = 4\n", r"\[clusters\] has no knob 'n', out of: recipe, features"),
        ("[clusters]\nk = 1\n", r"\[clusters\] k = 1: Input should be greater than or equal to 2"),
        ('[clusters]\nk = "many"\n', r"\[clusters\] k = 'many'"),
        ('[clusters]\nrecipe = "mine"\n', r"\[clusters\] recipe = 'mine': Input should be 'default' or 'notebook'"),
        ('[clusters]\ngrouping = "kmeans"\n', r"kmeans without k, which it can't find"),
        ('[clusters]\nk = 4\ngrouping = "hdbscan"\n', r"k = 4 with hdbscan, which finds k itself"),
        ("[sampled_detections]\nshare = nan\n", r"\[sampled_detections\] share = nan"),
    ],
)
def test_what_can_not_be_is_refused_with_the_file_the_knob_and_what_is_allowed(
    tmp_path: Path, text: str, said: str
) -> None:
    with pytest.raises(ValueError, match=said) as refused:
        knobs(tmp_path, text).configs(STOCK)
    assert str(tmp_path / "megafish.toml") in str(refused.value) and "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("text", "nightly", "weekly"),
    [
        ('nightly = "23:30"', "30 23 * * *", "0 5 * * 0"),
        ('weekly = "Friday 4:05"', "0 2 * * *", "5 4 * * 5"),
    ],
)
def test_the_hour_of_the_night_is_a_knob(tmp_path: Path, text: str, nightly: str, weekly: str) -> None:
    found = knobs(tmp_path, f"[schedules]\n{text}\n")
    assert (found.cron("nightly"), found.cron("weekly")) == (nightly, weekly)


@pytest.mark.parametrize(
    "text", ['nightly = "24:00"', 'nightly = "sunday 02:00"', 'weekly = "05:00"', "nightly = 2", 'hourly = "00:10"']
)
def test_a_time_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    found = knobs(tmp_path, f"[schedules]\n{text}\n")
    with pytest.raises(ValueError, match=r"megafish\.toml"):
        [found.cron(schedule) for schedule in ("nightly", "weekly")]


LAUNCHPAD = """
import json
from megafish_assets.definitions import defs
job = defs.resolve_job_def("nightly_analysis")
def default(op, knob):
    return job.run_config_schema.config_type.fields["ops"].config_type.fields[op].config_type.fields["config"] \
        .config_type.fields[knob].default_value
versions = {key.to_user_string(): defs.resolve_asset_graph().get(key).code_version
            for key in defs.resolve_asset_graph().get_all_asset_keys()}
print(json.dumps([default("clusters_reef_tiny", "k"), default("umap_reef_tiny", "n_neighbors"),
                  versions["clusters_reef_tiny"], versions["pca_reef_tiny"],
                  [s.cron_schedule for s in defs.schedules if s.name == "nightly_analysis"]]))
"""


def test_the_launchpad_and_the_night_show_the_files_values(tmp_path: Path) -> None:
    (tmp_path / "megafish.toml").write_text('[clusters]\nk = 7\n[schedules]\nnightly = "03:15"\n')
    environment = collection_environment(tmp_path, backbones="reef_tiny")
    done = subprocess.run(
        [sys.executable, "-c", LAUNCHPAD], cwd=REPOSITORY, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [7, 15, 'knobs {"k": 7}', None, ["15 3 * * *"]]


def test_a_wrong_knob_is_one_line_of_the_command(tmp_path: Path) -> None:
    (tmp_path / "megafish.toml").write_text("[clusters]\nk = 1\n")
    finished = bring_up_to_date(tmp_path, backbones="reef_tiny")
    assert finished.returncode == 1
    assert finished.stderr.startswith(f"{tmp_path}/megafish.toml: [clusters] k = 1")
    assert len(finished.stderr.splitlines()) == 1 and not (tmp_path / "tables").exists()


def test_a_config_that_dagster_takes_is_what_comes_out(tmp_path: Path) -> None:
    config = knobs(tmp_path, "[clusters]\nk = 7\n").configs(STOCK)["clusters"]

    @dg.asset
    def clusters(config: config) -> None:
        assert config.chosen().k == 7

    assert dg.materialize([clusters]).success


def test_the_backbone_that_names_are_given_by_is_the_first_or_the_one_that_is_set(tmp_path: Path) -> None:
    assert knobs(tmp_path, "").naming_backbone(["vit", "xcit"]) == "vit"
    assert knobs(tmp_path, '[names]\nbackbone = "xcit"\n').naming_backbone(["vit", "xcit"]) == "xcit"
    for text, says in (
        ('[names]\nbackbone = "dino"\n', r"\[names\] backbone = 'dino', out of: vit, xcit"),
        ("[names]\nspace = 3\n", r"\[names\] has no 'space', out of: backbone"),
    ):
        with pytest.raises(ValueError, match=says):
            knobs(tmp_path, text).naming_backbone(["vit", "xcit"])


def test_the_site_is_what_the_file_says_and_nothing_else(tmp_path: Path) -> None:
    site = knobs(tmp_path, '[site]\nlatitude = 38.7\ntime_zone = "Europe/Lisbon"\nlicence = "CC0-1.0"\n').site()
    assert (site.latitude, site.time_zone, site.licence) == (38.7, "Europe/Lisbon", "CC0-1.0")
    assert site.longitude is None and site.datum is None
    assert Knobs.read(tmp_path / "none.toml").site().model_dump(exclude_defaults=True) == {}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("latitude = 91", r"\[site\] latitude = 91: Input should be less than or equal to 90"),
        ("longitude = nan", r"\[site\] longitude = nan"),
        ('time_zone = "Lisbon"', r"time_zone = 'Lisbon': expected the name of a time zone such as Europe/Lisbon"),
        ('licence = "GPL"', r"licence = 'GPL': Input should be 'CC0-1.0', 'CC-BY-4.0' or 'CC-BY-NC-4.0'"),
        ('collection = "my reef"', r"collection = 'my reef'"),
        ('media = "videos"', r"media = 'videos'"),
        ('protocol = ""', r"protocol = ''"),
        ("lat = 3", r"\[site\] has no 'lat', out of: title, abstract, station"),
    ],
)
def test_a_site_that_can_not_be_is_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said) as refused:
        knobs(tmp_path, f"[site]\n{text}\n").site()
    assert str(tmp_path / "megafish.toml") in str(refused.value) and "\n" not in str(refused.value)
