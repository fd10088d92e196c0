"""What was searched, and what was left out of it, counted."""

import polars as pl

from megafish_assets.atlas.report_content import Searched
from megafish_assets.sightings.measures import wiped_share

SHOWN = 12
"""Names of videos that are listed; more are counted."""

REASONS = {
    "on_lens": "on the lens: growth or dirt that stays in its place while the scene moves past",
    "fixed": "fixed: it stays where it is before a still camera, as a stone does",
    "wiper": "the lens wiper",
    "person": "a person said that it is no fish",
    "classified": "it looks like what people said is no fish",
    "kind": "most named ones of its kind are no fish, people said",
}
"""Of `not_fish` in `sightings`, in words."""

PART = "part of another animal: it lies within a larger box of the same kind"
SHORT = "seen for less than a third of a second, as false alarms and broken pieces are"


def searched_of(
    abundance: pl.DataFrame,
    sightings: pl.LazyFrame,
    raw: pl.LazyFrame,
    n_videos_known: int,
    set_aside: list[str],
) -> Searched:
    """Effort and losses, from tables with the columns `ABUNDANCE`, `SIGHTINGS` and `RAW`."""
    whole = abundance.filter(pl.col("window_kind") == "all").unique("station").sort("station")
    seconds = pl.col("end_seconds") - pl.col("start_seconds")
    ended_at = pl.col("recorded_at") + pl.duration(microseconds=(seconds * 1e6).round())
    clips = abundance.filter(pl.col("window_kind") == "clip").unique("window").with_columns(ended_at=ended_at)
    searched = clips.filter(pl.col("n_frames_searched") > 0)
    n_frames = int(whole["n_frames_searched"].sum())
    faults = raw.drop_nulls("fault").group_by("fault").len("n").collect().sort(["n", "fault"], descending=[True, False])
    span = sightings.select(pl.col("recorded_at").min().alias("first"), pl.col("recorded_at").max().alias("last"))
    times = [*clips["recorded_at"], *clips["ended_at"], *span.collect().row(0)]
    known = [time for time in times if time is not None]
    tracklets = _reasons(sightings)
    return Searched(
        n_videos_known=max(n_videos_known, clips.height),
        n_videos=searched.height,
        seconds=float(whole["seconds_searched"].sum()),
        n_frames=n_frames,
        wiped_share=wiped_share(abundance),
        n_without_clock=searched["recorded_at"].null_count(),
        first=min(known, default=None),
        last=max(known, default=None),
        stations=tuple(whole.drop_nulls("station").select("station", "n_clips", "seconds_searched").iter_rows()),
        n_rows=raw.select(pl.len()).collect().item(),
        n_faulty=int(faults["n"].sum()),
        faults=tuple(faults.head(SHOWN).iter_rows()),
        n_set_aside=len(set_aside),
        set_aside=tuple(set_aside[:SHOWN]),
        n_tracklets=int(sum(tracklets.values())),
        n_counted=tracklets.pop("", 0),
        left_out=tuple(tracklets.items()),
    )


def _reasons(sightings: pl.LazyFrame) -> dict[str, int]:
    """Tracklets by why they do not count, the commonest first; the empty reason is of those that do."""
    in_words = pl.col("not_fish").replace(REASONS)
    reason = pl.when("is_counted").then(pl.lit("")).when(pl.col("not_fish").is_not_null()).then(in_words)
    reason = reason.when("is_part").then(pl.lit(PART)).otherwise(pl.lit(SHORT)).alias("reason")
    counts = sightings.select(reason).group_by("reason").len("n").collect()
    return dict(counts.sort(["n", "reason"], descending=[True, False]).iter_rows())
