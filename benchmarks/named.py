"""Counts under the platform's own names, beside the reef's truth: labels are given as `name_next` asks for them, and
MaxN is what then follows. Of a copy of a materialised reef, by the platform's own runs."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import polars as pl

from benchmarks.schools import plan_of
from benchmarks.sightings import true_counts
from megafish_assets.reef.truth import kinds

REPOSITORY = Path(__file__).parents[1]
LABELS = (32, 64, 100)
"""In all, round by round."""

MADE = ("words", "classes_reef_tiny,name_next_reef_tiny", "sightings", "linked_tracklets", "abundance")
"""What follows from labels up to the counts, in order; of the demo's backbone."""


def of_a_collection(root: Path) -> Iterator[dict]:
    """A line a round, of a reef that `make demo` or `materialise` has made; it stays as it is."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / root.name
        shutil.copytree(root, copy)
        for labels in (copy / "tables/labels", copy / "labels"):
            shutil.rmtree(labels, ignore_errors=True)
        collection = NamedReef(copy)
        for assets in ("labels", *MADE[:2]):
            collection.made(assets)
        given = 0
        for n_labels in LABELS:
            given += collection.labelled(n_labels - given)
            for assets in MADE:
                collection.made(assets)
            yield {"labels": given} | collection.scores()


class NamedReef:
    """A collection on which a person who knows everything gives names."""

    def __init__(self, root: Path) -> None:
        self.root = root
        weights = REPOSITORY / "megafish_assets/embeddings"
        names = {"MEGAFISH_ROOT": root, "MEGAFISH_BACKBONES": "reef_tiny", "MEGAFISH_WEIGHTS": weights}
        self.environment = os.environ | {name: str(value) for name, value in names.items()}
        self.environment["DAGSTER_HOME"] = str(root / "dagster")
        raw, truth = self.table("detections/raw_detections"), pl.read_delta(str(root / "truth"))
        tracked = self.table("detections/tracklets").select("detection_id", "tracklet_id")
        shown = kinds(raw, truth).join(tracked, on="detection_id", how="left")
        is_fish = pl.col("track_id").is_not_null().mean() > 0.5
        kind = pl.when(is_fish).then(pl.col("kind").mode().sort().first()).alias("true")
        self.true_of_tracklet = shown.drop_nulls("tracklet_id").group_by("tracklet_id").agg(kind)
        self.true_of_box = shown.group_by("detection_id").agg(kind)

    def table(self, name: str) -> pl.DataFrame:
        """A stored table."""
        return pl.read_delta(str(self.root / "tables" / name))

    def made(self, assets: str) -> None:
        """Makes these anew."""
        self._ran("dagster", "asset", "materialize", "--select", assets, "-m", "megafish_assets.definitions")

    def _ran(self, *command: str) -> None:
        call = [sys.executable, "-m", *command]
        subprocess.run(call, cwd=REPOSITORY, env=self.environment, check=True, capture_output=True)

    def labelled(self, n: int) -> int:
        """Names the next n that the platform asks for, by what they truly are; how many there were."""
        asked = self.table("labels/name_next_reef_tiny").sort("rank").head(n)
        known = asked.join(self.true_of_tracklet, on="tracklet_id", how="left").join(
            self.true_of_box, on="detection_id", how="left", suffix="_box"
        )
        true = pl.when(pl.col("tracklet_id").is_null()).then("true_box").otherwise("true")
        status = pl.when(true.is_null()).then(pl.lit("not_fish")).otherwise(pl.lit("approved")).alias("status")
        file = self.root / f"names_{asked.height}_{asked['detection_id'][0].replace('/', '_')}.csv"
        known.select("detection_id", true.alias("label"), status).write_csv(file)
        self._ran("megafish_assets", "label", str(file))
        return asked.height

    def scores(self) -> dict:
        """MaxN of clips under names, and whom the names are right of."""
        true = true_counts(plan_of(self.root))
        clips = self.table("sightings/abundance").filter(window_kind="clip").rename({"window": "video"})
        found = clips.filter(pl.col("kind").is_in(true["kind"].unique().implode())).select("video", "kind", "max_n")
        both = true.join(found, on=["video", "kind"], how="full", coalesce=True).with_columns(
            pl.col("true_max_n", "max_n").fill_null(0)
        )
        counted = self.table("sightings/sightings").filter("is_counted").join(self.true_of_tracklet, on="tracklet_id")
        fish = counted.drop_nulls("true")
        error = (both["max_n"] - both["true_max_n"]).abs().sum()
        return {
            "max_n_accuracy": round(1 - error / both["true_max_n"].sum(), 3),
            "sightings_of_fish": fish.height,
            "without_a_crop": fish["best_crop"].null_count(),
            "named": fish["name"].count(),
            "named_rightly": fish.filter(pl.col("name") == pl.col("true")).height,
            "counted_though_no_fish": counted["true"].null_count(),
        }
