"""Limits on the counts, each with its reason and what to do when it is broken."""

from megafish_assets.reporting.verdicts import NONE_MISSING, Check, Limit, never

SIGHTINGS = Check(
    "every_tracklet_is_a_sighting",
    "Tracklets without a row, or with two; the share of them that is too short to count, or no fish.",
    {
        "n_lost_tracklets": never("what was tracked is counted or told why not", "Report it with the tables."),
        "n_repeated_tracklets": never("a tracklet is one sighting", "Report it with the tables."),
        "not_fish_share": Limit(
            "more means that growth or the wiper fills the pictures",
            "Look at the figures of lens_places.",
            at_most=0.5,
        ),
        "n_missing_videos": NONE_MISSING,
    },
)

ABUNDANCE = Check(
    "counts_hold_together",
    "Windows in which a kind has no row; a MaxN above the number of tracklets that it was seen in, or above zero where "
    "there is no first arrival; how much the wiper took.",
    {
        "n_missing_rows": never("zero is a count too", "Report it with the table."),
        "n_impossible_rows": never("as many at once are as many at all", "Report it with the table."),
        "wiped_share": Limit(
            "counts are of what is left", "Look whether `not_fish` takes fish for the wiper.", at_most=0.2
        ),
        "n_missing_videos": NONE_MISSING,
    },
)

RICHNESS = Check(
    "richness_is_of_sure_kinds",
    "Rows whose numbers contradict each other; how much of what the clips show is of kinds that were seen.",
    {
        "n_impossible_rows": never(
            "there are at least as many kinds as were seen, and intervals hold what they are of",
            "Report it with the table.",
        ),
        "sample_coverage": Limit(
            "Chao2 is a lower bound, and far below the truth where most of what comes next is new",
            "Record more clips; until then give the number of kinds seen, not an estimate.",
            at_least=0.5,
            may_be_unknown=True,
        ),
        "n_missing_videos": NONE_MISSING,
    },
)

MOVEMENTS = Check(
    "movements_have_speeds",
    "Tracklets that are twice in a stretch; stretches without a speed, and speeds that no fish has; videos of which "
    "the frame's shape is not known.",
    {
        "n_repeated_rows": never("a tracklet is in one place at a time", "Report it with the table."),
        "speedless_share": Limit(
            "without the pan from pixels no speed is told: videos that were not decoded, or water without a mark",
            "Look whether their files are there, and at n_pan_points of camera_motion.",
            at_most=0.5,
        ),
        "too_fast_share": Limit(
            "a fish bursts at 10 body lengths a second and more for a moment; many are boxes that leap",
            "Draw some of these videos with the job `draw_tracklets`, and look whether boxes leap.",
            at_most=0.02,
        ),
        "assumed_aspect_share": Limit(
            "without crops a frame is taken for 16 to 9, and headings are off where it is not",
            "Materialise the crops of these videos.",
            at_most=0.5,
        ),
        "n_missing_videos": NONE_MISSING,
    },
)

SCHOOLS = Check(
    "groups_hold_together",
    "Tracklets that are in two groups of their kind at a moment; how many groups have no polarization.",
    {
        "n_repeated_members": never("groups of one kind share no member", "Report it with the table."),
        "n_impossible_rows": never("a polarization is between 0 and 1", "Report it with the table."),
        "n_missing_videos": NONE_MISSING,
    },
)

BEHAVIOR = Check(
    "behavior_is_told_of_what_was_seen",
    "Shares that are none, and stays that contradict each other; how much of the sightings is lost in the picture, and "
    "how many kinds have no median stay.",
    {
        "n_impossible_rows": never("shares are between 0 and 1", "Report it with the table."),
        "ends_lost_share": Limit(
            "stays are of those that were followed to the frame's edge, and of a few only where most are lost before",
            "Do not quote stays: quote MeanCount and occupancy of `abundance`.",
            at_most=0.8,
            may_be_unknown=True,
        ),
        "n_missing_videos": NONE_MISSING,
    },
)

MOMENTS = Check(
    "moments_can_be_opened",
    "Moments without a video's file, or twice the same; how many there are of each reason.",
    {
        "n_without_file": never("a moment is there to be looked at", "Report it with the table."),
        "n_repeated_rows": never("the ranks are counted through", "Report it with the table."),
        "n_missing_videos": NONE_MISSING,
    },
)

ANIMALS_GAP = Check(
    "detector_finds_the_animals",
    "The share of animals that has a box and of boxes that have an animal, in random frames that people looked at.",
    {
        "recall": Limit(
            "every count is low by what the detector misses, and kinds that it misses more look rare",
            "State the recall with the counts; lower the detector's score limit, or train it on the missed boxes, "
            "which are kept in `labels`.",
            at_least=0.8,
            may_be_unknown=True,
        ),
        "precision": Limit(
            "what is no animal and was not named so counts as unnamed",
            "Name rock and water `not a fish` on the review sheets.",
            at_least=0.8,
            may_be_unknown=True,
        ),
        "n_frames_to_look_at_again": Limit(
            "the detector has boxes there that nobody has judged, and without these frames its misses and false alarms "
            "would be those of frames in which it found nothing new",
            "Open the page: it asks for these frames first.",
            at_most=0,
        ),
        "n_missing_videos": NONE_MISSING,
    },
)

LINKED = Check(
    "pieces_are_joined_once",
    "Sightings that may be fish without a row here, animals that do not add up, and how many pieces an animal has.",
    {
        "n_lost_sightings": never("what may be a fish is an animal or a piece of one", "Report it with both tables."),
        "n_unaccounted_pieces": never("each join makes two one", "Report it with the table."),
        "pieces_an_animal": Limit(
            "more than a few mean that the detector flickers, or that growth is joined up",
            "Look at a film of its tracklets (`draw_tracklets`) and at lens_places.",
            at_most=6,
        ),
        "n_missing_videos": NONE_MISSING,
    },
)

CHECKS = {
    "sightings": SIGHTINGS,
    "linked_tracklets": LINKED,
    "abundance": ABUNDANCE,
    "animals_gap": ANIMALS_GAP,
    "richness": RICHNESS,
    "movements": MOVEMENTS,
    "schools": SCHOOLS,
    "behavior": BEHAVIOR,
    "moments": MOMENTS,
}
"""Every check of this stage by asset."""
