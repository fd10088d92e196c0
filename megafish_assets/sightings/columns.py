"""The columns of this stage's tables."""

import polars as pl

from megafish_assets.detections.columns import NOT_FISH, TRACKLET_MOTION, TRACKLETS
from megafish_assets.footage.columns import KEY, Column, Columns

NAMES: Columns = {
    "tracklet_id": TRACKLETS["tracklet_id"],
    "name": Column(pl.String, "what it is called; null while nobody has named it"),
    "scientific_name": Column(pl.String, "its scientific name, if one was given"),
    "probability": Column(pl.Float64, "of the name, 0 to 1; null where none was computed"),
    "name_source": Column(
        pl.String, "who says so: `person`, `classified` from labelled ones, `kind` as all of its kind, `unnamed`"
    ),
    "kind_id": Column(pl.Int64, "the kind that it was grouped into; null for none"),
    "is_not_fish": Column(pl.Boolean, "whether a person says that it is none"),
}

SIGHTINGS: Columns = {
    "video": KEY["video"],
    "tracklet_id": TRACKLETS["tracklet_id"],
    "station": Column(pl.String, "where the camera stood, from recordings.csv; null where it doesn't say"),
    "first_frame": Column(pl.Int64, "the frame in which it is first seen"),
    "last_frame": Column(pl.Int64, "the frame in which it is last seen"),
    "first_second": Column(pl.Float64, "when it is first seen, seconds from its video's first frame"),
    "last_second": Column(pl.Float64, "when it is last seen, likewise"),
    "recorded_at": Column(pl.Datetime("us"), "local time of day when it is first seen; null where none is known"),
    "n_frames_seen": Column(pl.Int64, "frames that hold a box of it"),
    "n_frames_bridged": Column(pl.Int64, "searched frames between its first and last in which it was missed"),
    "name": NAMES["name"],
    "scientific_name": NAMES["scientific_name"],
    "name_source": NAMES["name_source"],
    "probability": NAMES["probability"],
    "kind_id": NAMES["kind_id"],
    "not_fish": Column(
        pl.String,
        "why most of its boxes are taken for no fish (`reason` of not_fish), or `person`; null for what may be one",
    ),
    "width_1024": Column(pl.Float64, "median width of its boxes, px of the stretched frame"),
    "height_1024": Column(pl.Float64, "median height, likewise"),
    "x_1024": Column(pl.Float64, "median middle of its boxes from the left, likewise"),
    "y_1024": Column(pl.Float64, "median middle from the top, likewise"),
    "place_id": NOT_FISH["place_id"],
    **{name: TRACKLET_MOTION[name] for name in list(TRACKLET_MOTION)[5:]},
    "is_cut": Column(pl.Boolean, "whether its video begins or ends while it is in view, so that it may stay longer"),
    "is_part": Column(pl.Boolean, "whether it is a part of another, in whose boxes most of its own lie"),
    "is_counted": Column(
        pl.Boolean, "whether it counts as a sighting: it may be a fish, is no part, and is seen for a third of a second"
    ),
    "best_crop": Column(pl.String, "detection_id of its largest and surest crop; null where none was cut"),
    "backbone": Column(pl.String, "whose grouping and classes name it; null while nothing does"),
}

ABUNDANCE: Columns = {
    "window": Column(pl.String, "the clip's video, a time of day to the minute, hour or day, or `all`"),
    "window_kind": Column(pl.String, "`clip`, `minute`, `hour`, `day` or `all`"),
    "station": SIGHTINGS["station"],
    "start_seconds": Column(pl.Float64, "first searched second of a clip, or of a minute of one; null for longer ones"),
    "end_seconds": Column(pl.Float64, "its last, likewise"),
    "recorded_at": Column(pl.Datetime("us"), "local time at which it was first searched; null where none is known"),
    "kind": Column(pl.String, "a name, `kind <kind_id>` where nobody has named it, or `unnamed`"),
    "kind_id": Column(pl.Int64, "of a kind that nobody has named"),
    "scientific_name": NAMES["scientific_name"],
    "name_source": Column(pl.String, "who named most of its tracklets: `person`, `classified`, `kind`, or `unnamed`"),
    "max_n": Column(pl.Int64, "most of this kind in view at once: the fewest animals that there were"),
    "max_n_rule": Column(
        pl.String,
        "`held`: seen in half of the looks of some third of a second; `plain`: in any look, where a third of a second "
        "has fewer than four; `mixed`: over videos of both",
    ),
    "max_n_video": Column(pl.String, "where it was reached first"),
    "max_n_frame": Column(pl.Int64, "the first frame in which it was; the detector may have missed some of them there"),
    "mean_count": Column(pl.Float64, "mean of this kind in view, empty frames as 0, gaps of tracklets bridged"),
    "mean_count_low": Column(pl.Float64, "lower end of its interval, 95 %; null where refused, see `interval`"),
    "mean_count_high": Column(pl.Float64, "upper end, likewise"),
    "interval": Column(pl.String, "how the interval was made, or why there is none"),
    "first_arrival_seconds": Column(
        pl.Float64, "from the window's first searched frame to the first of this kind; null where none came"
    ),
    "occupancy_share": Column(pl.Float64, "share of searched frames in which one is in view"),
    "occupied_clips_share": Column(pl.Float64, "share of searched clips in which one is"),
    "n_tracklets": Column(
        pl.Int64,
        "tracklets seen for a third of a second, which no rule could join: the most animals that there were, and more "
        "than that, for one that is lost and found again counts twice",
    ),
    "n_animals": Column(
        pl.Int64,
        "of a clip: animals, their pieces joined; null where that is not sure, and of longer windows, in which the "
        "same animal may come again: then there are `max_n` to `n_tracklets`",
    ),
    "sightings_an_hour": Column(pl.Float64, "`n_tracklets` an hour searched; not animals"),
    "n_clips": Column(pl.Int64, "videos that were searched in this window"),
    "n_frames_searched": Column(pl.Int64, "frames that the detector looked at and no wiper crossed"),
    "seconds_searched": Column(pl.Float64, "how long these are"),
    "swept_fields": Column(
        pl.Float64, "fields of view that the camera's pan swept, 1 for a still one; mean of clips; null where unknown"
    ),
    "wiped_share": Column(pl.Float64, "share of the looks that the wiper took"),
    "backbone": SIGHTINGS["backbone"],
    "recipe": Column(pl.String, "how its clusters were made; null while nothing names"),
    "labels_version": Column(pl.String, "of the labels behind the names; null where there are none"),
}

ANIMALS_GAP: Columns = {
    "rank": Column(pl.Int64, "from 1, as the frames were drawn"),
    "video": KEY["video"],
    "frame_id": Column(pl.Int64, "frame in the video, from 0"),
    "seconds": Column(pl.Float64, "when it is, seconds from its video's first frame"),
    "n_boxes": Column(pl.Int64, "boxes of the detector in it that nothing takes for an artefact"),
    "looked_by": Column(pl.String, "who looked at it last; null while nobody has"),
    "n_found": Column(pl.Int64, "animals that have a box; null while nobody has looked"),
    "n_missed": Column(pl.Int64, "animals that have none, likewise"),
    "n_no_animal": Column(pl.Int64, "boxes that show no animal, likewise"),
    "n_twice": Column(pl.Int64, "boxes of an animal that has another box, likewise"),
}

LINKED: Columns = {
    "video": KEY["video"],
    "tracklet_id": TRACKLETS["tracklet_id"],
    "animal_id": Column(pl.String, "the animal that it is a piece of: the `tracklet_id` of its first piece"),
    "n_tracklets": Column(pl.Int64, "pieces that this animal has"),
    "link": Column(
        pl.String,
        "how it was joined: `after` a gap, `within` the gaps of another, as a `part` of another; null for what was not",
    ),
    "linked_to": Column(pl.String, "to which tracklet; null for what was not joined"),
    "probability": Column(pl.Float64, "of `after`, that both are one animal, by these two alone; null otherwise"),
    "is_open": Column(pl.Boolean, "whether it may be a piece of another animal too: its number is not sure"),
}
