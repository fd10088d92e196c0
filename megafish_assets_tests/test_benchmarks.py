"""The benchmarks that should run on a bare GPU machine do so without the platform's libraries."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import psutil
import pytest

from benchmarks import counts, embed, kinds, names, parts, quality, report
from benchmarks.__main__ import main
from benchmarks.ways import SIZE
from megafish_assets.embeddings.backbones import NOTEBOOK_BACKBONES
from megafish_assets.features.crop_rows import CropRows
from megafish_assets_tests.clusters.test_kinds import after
from megafish_assets_tests.conftest import REPOSITORY
from megafish_assets_tests.deployment import wait_for
from megafish_assets_tests.videos import write_h264

ABSENT = ("polars", "deltalake", "dagster", "dagster_deltalake", "umap")

SITE = f"""
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {ABSENT}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Absent())
"""


@pytest.fixture
def bare(tmp_path: Path) -> dict[str, str]:
    """The environment of a Python in which those libraries are not installed, as far as an import can tell."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(SITE)
    return os.environ | {"PYTHONPATH": str(tmp_path / "site")}


def lines(environment: dict[str, str], *arguments: str) -> list[dict]:
    command = [sys.executable, "-m", "benchmarks", *arguments]
    done = subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    return [json.loads(line) for line in done.stdout.splitlines()]


def clips(folder: Path) -> None:
    """A small clip, in which everything moves, and two boxes, as an input of this folder's stage."""
    noise = np.random.default_rng(0).integers(0, 255, (12, 20, 3), dtype=np.uint8).repeat(15, 0).repeat(16, 1)
    folder.mkdir()
    write_h264(folder / "clip_0000.mp4", [np.roll(noise, 3 * frame, axis=1) for frame in range(12)])
    boxes = np.array([[100.0, 100, 400, 300], [600, 500, 200, 200]])
    (folder / SIZE).write_text(f"1 benchmarks.{folder.name}")
    np.savez(folder / "boxes.npz", ids=np.array(["a/000003/000", "a/000009/000"]), frames=np.array([3, 9]), boxes=boxes)


def test_absent_libraries_are_absent(bare: dict[str, str]) -> None:
    done = subprocess.run([sys.executable, "-c", "import polars"], env=bare, capture_output=True, text=True)
    assert "No module named 'polars'" in done.stderr


def test_pca_streams_from_parquet_files(bare: dict[str, str]) -> None:
    [line] = lines(bare, "pca", "--size", "3000")
    assert line["notebook"]["difference"]["n_components"] == 0
    assert line["notebook"]["difference"]["spectrum"] < 1e-6
    assert line["ours"]["peak_gb"] > line["ours"]["input_gb"] > 0


def test_the_sweep_is_exact_and_an_earlier_input_is_reported_with_its_size(
    bare: dict[str, str], tmp_path: Path
) -> None:
    lines(bare, "kmeans_sweep", "--size", "300", "--input", str(tmp_path / "kept"))
    [line] = lines(bare, "kmeans_sweep", "--input", str(tmp_path / "kept"))
    assert line["n_rows"] == 300
    assert line["exact"]["difference"]["silhouette"] < 1e-5
    assert line["exact"]["beside"] == "ours_silhouettes"


def test_crops_are_cut_and_embedded(bare: dict[str, str], tmp_path: Path) -> None:
    clips(tmp_path / "crops")
    [cut] = lines(bare, "crops", "--input", str(tmp_path / "crops"))
    assert cut["n_clips"] == 1
    assert cut["notebook"]["difference"]["n_of_another_size"] == 0
    assert cut["notebook"]["difference"]["mean_level"] < 1  # of 255: what JPEG does to a crop of noise
    clips(tmp_path / "embed")
    embed.write_crops(tmp_path / "embed")
    embed.write_weights(tmp_path / "embed")
    [embedded] = lines(bare, "embed", "--input", str(tmp_path / "embed"))
    assert embedded["notebook_from_videos"]["beside"] == "ours_from_videos"
    difference = embedded["notebook"]["difference"]
    assert set(difference) == set(NOTEBOOK_BACKBONES)
    assert all(value < 1e-3 for value in difference.values())


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["rows", "--device", "nonsense"], "--device nonsense: this machine has cpu"),
        (["kmeans_sweep", "--device", "cuda:99"], "--device cuda:99: this machine has cpu"),
        (["rows", "--input", "{folder}/file"], "is no folder"),
        (["pca", "--input", "{folder}/half"], "was not written to the end"),
        (["rows", "--input", "{folder}/clouds"], "an input of benchmarks.features, rows takes one of benchmarks.rows"),
        (["rows", "--size", "0"], "--size must be at least 1"),
        (["rows", "--size", "9", "--growth"], "--growth has sizes and inputs of its own"),
    ],
)
def test_what_cannot_be_measured_is_a_sentence(
    arguments: list[str], told: str, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "half" / "vectors").mkdir(parents=True)
    (tmp_path / "clouds").mkdir()
    (tmp_path / "clouds" / SIZE).write_text("300 benchmarks.features")
    with pytest.raises(SystemExit) as ended:
        main([word.format(folder=tmp_path) for word in arguments])
    assert ended.value.code == 2
    assert told in capsys.readouterr().err


def test_a_way_that_fails_ends_the_command_with_its_name(capfd: pytest.CaptureFixture) -> None:
    assert main(["kmeans_sweep", "--size", "1"]) == 1
    assert "benchmarks.ways kmeans_sweep ours" in capfd.readouterr().err.splitlines()[-1]


def test_a_terminated_benchmark_leaves_no_folder_and_no_process(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "benchmarks", "kmeans_sweep", "--size", "20000"]
    own = os.environ | {"TMPDIR": str(tmp_path)}
    with subprocess.Popen(command, cwd=REPOSITORY, env=own, stderr=subprocess.PIPE, text=True) as process:
        assert "measuring kmeans_sweep: ours" in process.stderr.readline()
        [worker] = wait_for(lambda: psutil.Process(process.pid).children() or None, lambda: "no way was begun")
        wait_for(lambda: worker.cpu_times().user > 0.2 or None, lambda: "the way does nothing")
        process.terminate()
        assert process.wait(timeout=60) == 128 + signal.SIGTERM
    assert not worker.is_running() and list(tmp_path.iterdir()) == []


def test_a_table_stands_between_its_own_marks_only(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("a\n<!-- measured -->\nformer\n<!-- /measured -->\nb\n")
    machine = {"cores": 2, "cpu": "X", "ram_gb": 24.0}
    ours = {"seconds": 1.5, "cold_seconds": 2.0, "peak_gb": 0.3, "runs": 3, "cores_busy": 1.98}
    once = ours | {"seconds": 2.0, "runs": 0}
    other = ours | {"beside": "ours", "ours_is_faster_by": 4.0, "difference": {"width": 0.01}}
    compared = {"stage": "s", "case": "compared", "n_rows": 1000, "ours": ours, "other": other, "machine": machine}
    grown = {
        "stage": "s",
        "case": "growth",
        "cases": [{"n_rows": 10} | ours, {"n_rows": 20} | once],
        "machine": machine,
    }
    report.written([compared, grown], report.MARKS["all"], 25.5 * 60, page)
    told = page.read_text()
    assert told.startswith("a\n<!-- measured -->\nMeasured in 26 minutes on 2 cores (X), 24 GB.")
    assert told.endswith("-->\nb\n")
    assert "| s | 1,000 rows | other | 1.5 s | 3 | 2 s | 1.98 | 0.3 GB | ours | 4 x | width 0.01 |" in told
    assert "| s | 10 rows | 1.5 s | 3 | 2 s | 1.98 | 0.3 GB |" in told and "former" not in told
    assert "| s | 20 rows |  | 0 | 2 s | 1.98 | 0.3 GB |" in told
    with pytest.raises(ValueError, match="measured-full"):
        report.written([], report.MARKS["full"], 1.0, page)


def test_names_stay_with_kinds_go_to_parts_of_them_and_are_given_to_new_ones() -> None:
    truth = pl.DataFrame({"unit_id": [f"v/{one}" for one in "abcdefgx"], "true_kind": [*["cod"] * 4, *["eel"] * 4]})
    first = after("abcde fg")
    named = kinds.names_of(first, truth, {})
    assert named == {1: "cod", 2: "eel"}
    second = after("ab cde fg x", fits=first)
    both = kinds.names_of(second, truth, named)
    # The larger part keeps the number; the smaller is born, with too few to be a part, and named after its own.
    assert both == {1: "cod", 2: "eel", 3: "cod", 4: "eel"}
    # Of a, b, c, d, f and g, named rightly before, all are still; e was named wrongly and counts for nothing.
    assert kinds.kept_names(first.latest, second.latest, truth, named, both) == 1.0
    assert kinds.kept_names(first.latest, second.latest, truth, named, {1: "cod", 2: "cod"}) == pytest.approx(2 / 6)
    assert kinds.kept_names(first.latest, second.latest, truth, {}, both) is None
    # Five of seven: two of the five are in another part.
    assert kinds.most_kept(first.latest, second.latest, 7) == pytest.approx(5 / 7)
    assert kinds.most_kept(first.latest.clear(), second.latest, 0) is None


def test_a_true_kind_has_five_tracklets_in_three_videos() -> None:
    kinds_shown = np.repeat(["cod", "eel", "ray", "rock"], [10, 10, 8, 10]).astype(object)
    tracklets = np.arange(len(kinds_shown)) // 2  # of two crops each: ray has four
    videos = np.where(kinds_shown == "eel", tracklets % 2, tracklets % 3).astype(str)
    crops = CropRows(tracklets.astype(str).astype(object), videos, species=kinds_shown)
    assert counts._n_true(crops) == 2


def test_what_the_intervals_come_to_is_counted() -> None:
    lines = [{"holds": True, "width_share": 0.4}, {"holds": False, "width_share": 0.6}]
    assert list(counts._summary(lines, {"of": 1})) == [{"of": 1, "n_cases": 2, "n_held": 1, "mean_width_share": 0.5}]
    assert list(counts._summary([], {})) == []


def test_kinds_of_a_folder_need_weights(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    with pytest.raises(SystemExit):
        main(["kinds", "--crops", str(tmp_path)])
    assert "--crops needs --weights" in capsys.readouterr().err


def test_a_folder_that_is_no_demo_is_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    assert main(["kinds", "--reef", str(tmp_path)]) == 2
    assert "holds no tables with their truth: make demo" in capsys.readouterr().out


KEYS = ["recipe", "k_given", "k", "species_ami", "ari", "v_measure", "knn_other_trajectories", "noise_share"]
KEYS += ["homogeneity", "completeness", "macro_f1", "seconds"]


def test_the_clusters_of_real_fish_follow_their_species(real_data: Path) -> None:
    folders = ["--crops", str(real_data / "fish4knowledge"), "--weights", str(real_data / "mobilenetv2-imagenet")]
    notebook, default, at_k = lines(dict(os.environ), "quality", *folders)
    assert [line["recipe"] for line in (notebook, default, at_k)] == ["notebook", "default", "default_true_k"]
    assert [line["k_given"] for line in (notebook, default, at_k)] == [True, False, True]
    assert all(line.keys() >= set(KEYS) for line in (notebook, default, at_k))
    assert notebook["k"] == at_k["k"] == 23 and 17 <= default["k"] <= 32
    assert default["species_ami"] > 0.77 and at_k["species_ami"] > 0.76
    assert min(default["knn_other_trajectories"], at_k["knn_other_trajectories"]) > 0.86
    assert notebook["species_ami"] < 0.65


def test_a_few_labels_name_real_fish(real_data: Path, tmp_path: Path) -> None:
    fish = real_data / "fish4knowledge"
    index = pl.read_csv(fish / "index.csv", infer_schema=False)
    few = ["fish_04", "fish_05", "fish_09", "fish_10"]
    own = index.filter(pl.col("species").is_in(few)).unique("trajectory", maintain_order=True)
    own = pl.concat([own, index.filter(pl.col("species") == "fish_16")])  # some trajectories of several crops
    for species in own["species"].unique():
        (tmp_path / species).symlink_to(fish / species)
    own.write_csv(tmp_path / "index.csv")
    found = list(names.of_labelled_fish(tmp_path, real_data / "mobilenetv2-imagenet", "mobilenetv2"))
    assert [line["case"] for line in found] == ["random"] * 4 + ["picked"] * 2 + ["unknown"]
    one, five, *_ = found
    assert one["n_labels"] == 5 and five["n_labels"] == 24  # eight trajectories of fish_16, of which four at most
    assert five["macro_f1_common"] > 0.9 and five["macro_f1_common"] > one["macro_f1_common"]
    assert found[-1]["draws"] == 0  # two kinds that are known are too few to tell what an unknown one looks like


def test_labels_are_given_to_at_most_half_of_a_species_and_to_one_at_least() -> None:
    species = np.repeat(["a", "b", "c"], [1, 5, 40])
    places = names.drawn(species, 10, np.random.default_rng(0))
    assert dict(zip(*np.unique(species[places], return_counts=True), strict=True)) == {"a": 1, "b": 2, "c": 10}


def test_parts_are_whole_trajectories_of_halves_of_twelve_species_and_of_mostly_one() -> None:
    rng = np.random.default_rng(0)
    names = [f"s{number:02d}" for number in range(15)]
    species = np.repeat(names, [40, 20, *[6] * 13])
    trajectories = [f"{name}/{row // 2}" for row, name in enumerate(species)]
    index = pl.DataFrame({"species": species, "trajectory": trajectories})[rng.permutation(len(species))]
    drawn = dict(parts.parts(index, 42))
    assert len(drawn) == 6 + 4 + 2 and [*drawn] == [*dict(parts.parts(index, 42))]
    for rows in drawn.values():
        kept = index[rows]["trajectory"].unique()
        assert index.filter(pl.col("trajectory").is_in(kept.implode())).height == len(rows)
    for number in range(3):
        one, other = drawn[f"half {number}.0"], drawn[f"half {number}.1"]
        assert sorted([*one, *other]) == [*range(index.height)]
    assert all(index[drawn[f"twelve species {number}"]]["species"].n_unique() == 12 for number in range(4))
    mostly = index[drawn["mostly s00"]].group_by("species").agg(pl.col("trajectory").n_unique())
    assert mostly.filter(species="s00")["trajectory"].item() / mostly["trajectory"].sum() == pytest.approx(
        0.6, abs=0.02
    )


def test_the_summary_of_parts_tells_the_mean_the_worst_and_where_the_notebook_is_better() -> None:
    scores = {("a", "notebook"): 0.5, ("a", "default"): 0.7, ("b", "notebook"): 0.6, ("b", "default"): 0.5}
    lines = [{"part": part, "recipe": name, "species_ami": score} for (part, name), score in scores.items()]
    notebook, default = parts.summary(lines)
    assert notebook["parts_below_notebook"] == [] and notebook["mean_species_ami"] == 0.55
    assert default | {"recipe": "default"} == {
        "recipe": "default",
        "n_parts": 2,
        "mean_species_ami": 0.6,
        "worst_species_ami": 0.5,
        "worst_part": "b",
        "parts_below_notebook": ["b"],
    }


@pytest.mark.parametrize(
    ("index", "told"),
    [
        (None, "has no index.csv"),
        ("path,species\na.jpg,cod\n", "missing columns ['trajectory']"),
        ("path,species,trajectory\n", "0 rows"),
        ("path,species,trajectory\ngone.jpg,cod,1\na,eel,2\n", "lists 2 files that are not there, first gone.jpg"),
        ("path,species,trajectory\nindex.csv,cod,1\n./index.csv,eel,2\n", "not a picture that OpenCV can decode"),
        ("path,species,trajectory\na.jpg,cod,1\na.jpg,eel,2\n", "lists 'a.jpg' more than once"),
        ("path,species,trajectory\na.jpg,cod,1\nb.jpg,,2\n", "names 1 species"),
        ("", "is no table"),
    ],
)
def test_a_folder_that_cannot_be_scored_is_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture, index: str | None, told: str
) -> None:
    if index is not None:
        (tmp_path / "index.csv").write_text(index)
    assert quality.main(quality.of_labelled_fish(tmp_path, tmp_path, "mobilenetv2")) == 2
    assert told in capsys.readouterr().out
