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

CHECKS = {"sightings": SIGHTINGS, "linked_tracklets": LINKED, "abundance": ABUNDANCE, "animals_gap": ANIMALS_GAP}
"""Every check of this stage by asset."""
