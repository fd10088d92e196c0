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
    "not_fish_by": Column(
        pl.String, "who says that it is none: `person`, or `classified` or `kind` as it is named so; null for nobody"
    ),
    "is_fish": Column(pl.Boolean, "whether a person says that it is one, whatever its boxes are taken for"),
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
        "why it is taken for no fish: `person` says so, else the `reason` of not_fish for most of its boxes, else its "
        "name does (`classified`, `kind`); null for what may be one, and for what a person named a fish",
    ),
    "width_1024": Column(pl.Float64, "median width of its boxes, px of the stretched frame"),
    "height_1024": Column(pl.Float64, "median height, likewise"),
    "x_1024": Column(pl.Float64, "median middle of its boxes from the left, likewise"),
    "y_1024": Column(pl.Float64, "median middle from the top, likewise"),
    "place_id": NOT_FISH["place_id"],
    **{name: TRACKLET_MOTION[name] for name in list(TRACKLET_MOTION)[5:]},
    "is_cut": Column(pl.Boolean, "whether its video begins or ends while it is in view, so that it may stay longer"),
    "begins": Column(
        pl.String,
        "how it comes into view: `cut`, its video begins with it; `edge`, through the frame's edge; `inside`, found in "
        "the picture, maybe again",
    ),
    "ends": Column(pl.String, "how it goes: `cut`, its video ends with it; `edge`; `inside`, lost in the picture"),
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
    "occupied_clips_share": Column(pl.Float64, "share of searched clips in which one is; null without any"),
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
    "n_clips": Column(pl.Int64, "videos of which the wiper left something to search in this window"),
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
    "n_unjudged": Column(
        pl.Int64, "boxes of a frame at which somebody looked that are others than he saw: look at it again"
    ),
    "looked_by": Column(pl.String, "who looked at it last; null while nobody has, or not since the boxes changed"),
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

RICHNESS: Columns = {
    "station": Column(pl.String, "where the camera stood; null for all clips, also those whose station is not known"),
    "of": Column(pl.String, "what counts as a kind: `named`, a name that people gave; `kinds`, one that is sure"),
    "n_observed": Column(pl.Int64, "kinds that were seen"),
    "n_once": Column(pl.Int64, "of them, in one clip only: what speaks for kinds that were not seen"),
    "n_twice": Column(pl.Int64, "of them, in two clips"),
    "chao2": Column(pl.Float64, "kinds that there are, at least; null where refused, see `note`, as all that follows"),
    "chao2_low": Column(pl.Float64, "lower end of its interval, 95 %"),
    "chao2_high": Column(pl.Float64, "upper end, likewise"),
    "sample_coverage": Column(
        pl.Float64, "share of all occurrences in clips that are of kinds which were seen, 0 to 1"
    ),
    "n_clips": Column(pl.Int64, "clips that were searched, each a sampling unit"),
    "rarefied": Column(
        pl.Float64, "kinds at `rarefied_coverage`, the same for all rows of this `of`: what to compare stations by"
    ),
    "rarefied_low": Column(pl.Float64, "lower end of its interval, 95 %, by a bootstrap"),
    "rarefied_high": Column(pl.Float64, "upper end, likewise"),
    "rarefied_coverage": Column(pl.Float64, "the highest coverage that all of them reach within twice their clips"),
    "rarefied_clips": Column(pl.Float64, "clips of this station that have this coverage"),
    "is_extrapolated": Column(pl.Boolean, "whether these are more clips than there are"),
    "n_sure": Column(pl.Int64, "kinds of the whole collection that are sure; null where `stability` doesn't say"),
    "kinds_low": Column(pl.Float64, "kinds in the pictures of the whole collection by `stability`, lower end; or null"),
    "kinds_high": Column(pl.Float64, "upper end, likewise"),
    "note": Column(pl.String, "why there is no estimate; null where there is one"),
}

MOVEMENTS: Columns = {
    "video": KEY["video"],
    "tracklet_id": TRACKLETS["tracklet_id"],
    "moment": Column(pl.Int64, "number of the stretch, from the video's start"),
    "seconds": Column(pl.Float64, "its middle, seconds from the video's first frame"),
    "frame_id": Column(pl.Int64, "the look nearest to its middle"),
    "is_whole_moment": Column(pl.Boolean, "whether groups are told here: every so many seconds"),
    "n_looks": Column(pl.Int64, "looks with a box of the tracklet"),
    "x_1024": Column(
        pl.Float64, "middle of its boxes from the left at the stretch's middle, px of the stretched frame"
    ),
    "y_1024": Column(pl.Float64, "from the top, likewise"),
    "x_square": Column(pl.Float64, "the same across, in 1024ths of the frame's height: as far across as down"),
    "length_square": Column(pl.Float64, "its body length, the longer side of the median box, likewise"),
    "speed_x": Column(pl.Float64, "over the scene to the right, body lengths a second; null where not known"),
    "speed_y": Column(pl.Float64, "down, likewise"),
    "scene_speed": Column(
        pl.Float64, "how fast the scene itself passes, body lengths of this tracklet a second; null where not known"
    ),
    "is_steady": Column(
        pl.Boolean, "whether its boxes keep their size, and none touches the frame's edge: so that the speed is its own"
    ),
}

SCHOOLS: Columns = {
    "video": KEY["video"],
    "seconds": MOVEMENTS["seconds"],
    "frame_id": MOVEMENTS["frame_id"],
    "of": Column(pl.String, "`kind`: a group of one kind, or of unnamed ones; `any`: of fish of whatever kinds"),
    "kind": Column(pl.String, "as in `abundance`; null for `any`"),
    "group": Column(pl.Int64, "number of the group at this moment, the largest first, from 1"),
    "n_members": Column(pl.Int64, "tracklets in the group: at least as many animals as seem apart"),
    "n_in_view": Column(pl.Int64, "of this kind in view at this moment, also alone"),
    "neighbor_body_lengths": Column(pl.Float64, "median distance of a member to its nearest one, body lengths"),
    "n_moving": Column(pl.Int64, "members that swim over the scene, see `n_moving` of `behavior`"),
    "polarization": Column(
        pl.Float64,
        "how alike they head, 0 to 1: length of their mean direction; null where fewer than 3 or four fifths swim",
    ),
    "heading_degrees": Column(pl.Float64, "their mean direction: 0 right, 90 up, 180 left, -90 down; null likewise"),
    "speed_body_lengths": Column(pl.Float64, "mean over members, body lengths a second; null where none is known"),
    "members": Column(pl.List(pl.String), "tracklet_id of each"),
    "x_1024": Column(pl.Float64, "left edge of what spans the group's middles, px of the stretched frame"),
    "y_1024": Column(pl.Float64, "top edge, likewise"),
    "width_1024": Column(pl.Float64, "width, likewise"),
    "height_1024": Column(pl.Float64, "height, likewise"),
}

BEHAVIOR: Columns = {
    "of": Column(pl.String, "`kind`, or `any` for all kinds together"),
    "kind": Column(pl.String, "as in `abundance`; null for `any`"),
    "n_tracklets": Column(pl.Int64, "sightings"),
    "n_clips": Column(pl.Int64, "videos with any"),
    "n_speeds": Column(pl.Int64, "stretches of about a third of a second in which one's speed is known"),
    "speed_median": Column(pl.Float64, "over the scene, body lengths a second, over these; null without any"),
    "speed_p90": Column(pl.Float64, "what a tenth of them exceed, likewise; jitter of the boxes included"),
    "n_moving": Column(pl.Int64, "of these, at 0.3 body lengths a second and 0.3 of the scene's own speed or faster"),
    "right_share": Column(pl.Float64, "of the moving ones, heading right within 45 degrees; null without any"),
    "left_share": Column(pl.Float64, "left, likewise; the rest heads up or down"),
    "right_share_low": Column(
        pl.Float64, "lower end of the right share's interval, 95 %, by blocks of clips; null if refused"
    ),
    "right_share_high": Column(pl.Float64, "upper end, likewise"),
    "n_moments": Column(pl.Int64, "animals in view, summed over moments"),
    "grouped_share": Column(pl.Float64, "of these, in a group of its kind (of any, for `any`); null without any"),
    "group_size_median": Column(pl.Float64, "members of its groups, each group at each moment once; null without any"),
    "group_size_largest": Column(pl.Int64, "of its largest group; null without any"),
    "begins_cut_share": Column(pl.Float64, "of sightings, in view as their video begins: since when is not known"),
    "ends_cut_share": Column(pl.Float64, "in view as it ends: how much longer is not known"),
    "ends_lost_share": Column(pl.Float64, "lost in the picture, and maybe found again as another tracklet"),
    "n_arrivals": Column(pl.Int64, "that came in through the frame's edge: of these the stay is told"),
    "n_stays": Column(pl.Int64, "of these, that also were seen to leave through it"),
    "stay_quarter_seconds": Column(
        pl.Float64, "time in view after which a quarter has left, by Kaplan-Meier; null where not reached, see `note`"
    ),
    "stay_median_seconds": Column(pl.Float64, "after which half has left, likewise"),
    "stay_median_low": Column(pl.Float64, "lower end of the median's interval, 95 %; null where not reached"),
    "stay_median_high": Column(pl.Float64, "upper end, likewise: without one it may be any longer"),
    "stay_mean_seconds": Column(
        pl.Float64, "mean time in view, if it is left at an even rate: seconds in view by leavings; null under 5"
    ),
    "note": Column(pl.String, "what is not told, and why; null where all is"),
}

MOMENTS: Columns = {
    "rank": Column(pl.Int64, "from 1, the reasons in turn"),
    "reason": Column(
        pl.String,
        "`dense_group`, the most members; `first_of_kind`, the rarest kind first; `burst`, far faster than it is else",
    ),
    "number": Column(
        pl.Float64, "members; sightings of the kind in the whole collection; body lengths a second of the burst"
    ),
    "video": KEY["video"],
    "seconds": Column(pl.Float64, "when, seconds from the video's first frame"),
    "frame_id": Column(pl.Int64, "frame of it"),
    "tracklet_id": Column(pl.String, "who; of a group its first member"),
    "kind": Column(pl.String, "as in `abundance`; null for a group of several"),
    "open": Column(pl.String, "for a browser, in the folder of recordings: its file and the second before"),
    "film": Column(
        pl.String,
        "likewise in the folder of figures, with tracklets drawn: made by `draw_tracklets`",
    ),
}
