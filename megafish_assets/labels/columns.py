"""The columns of this stage's tables."""

import polars as pl

from megafish_assets.footage.columns import Column, Columns

LABELS: Columns = {
    "label_id": Column(pl.String, "of the file and the line that said it: a file that is read twice says it once"),
    "detection_id": Column(pl.String, "the detection on whose tile it was said; null for a place, or a tracklet alone"),
    "tracklet_id": Column(pl.String, "its tracklet when it was said; today's is looked up by frame and box"),
    "video": Column(pl.String, "partition key of the video"),
    "frame_id": Column(pl.Int64, "frame in the video, from 0"),
    "box": Column(pl.List(pl.Float64), "`[x, y, w, h]`, px of the stretched frame"),
    "cluster": Column(pl.Int64, "the cluster that was shown; -1 is noise"),
    "kind_id": Column(pl.Int64, "its kind when it was said"),
    "place_id": Column(pl.String, "the place of the lens that was shown; null for none"),
    "backbone": Column(pl.String, "whose clusters were shown"),
    "recipe": Column(pl.String, "how they were made"),
    "fit_version": Column(pl.String, "the fit that was shown, as in `kinds`"),
    "label": Column(pl.String, "its name; null where the status alone speaks"),
    "scientific_name": Column(pl.String, "of the name, from the list of species or from the file"),
    "aphia_id": Column(pl.Int64, "of the name in the World Register of Marine Species, likewise"),
    "status": Column(
        pl.String,
        "approved, rejected (it is not this), unsure or not_fish; of a frame looked_at, found, missed or twice",
    ),
    "labelled_by": Column(pl.String, "who said it"),
    "labelled_at": Column(pl.Datetime("us", "UTC"), "when"),
    "source": Column(pl.String, "the file and the line"),
    "note": Column(pl.String, "what the person added"),
}

WORDS: Columns = {
    "tracklet_id": Column(pl.String, "the tracklet, or the detection without one, that people spoke of"),
    "label": Column(pl.String, "its name; null where the status alone speaks"),
    "scientific_name": Column(pl.String, "of the name, if anybody gave it"),
    "aphia_id": Column(pl.Int64, "of the name in the World Register of Marine Species, if anybody gave it"),
    "status": Column(pl.String, "approved, rejected, unsure or not_fish"),
    "labelled_by": Column(pl.String, "who spoke last"),
    "labelled_at": Column(pl.Datetime("us", "UTC"), "when"),
    "n_people": Column(pl.Int64, "people who spoke of it"),
    "n_disagreeing": Column(pl.Int64, "of them, those whose last word is another"),
}
"""The current word on each tracklet."""

CLASSES: Columns = {
    "video": Column(pl.String, "partition key of the video"),
    "tracklet_id": Column(pl.String, "the tracklet; null for a detection without one"),
    "unit_id": Column(pl.String, "what bears the name: the tracklet, or the detection without one"),
    "detection_id": Column(pl.String, "its best crop: not cut by the frame's edge, large, of a high score"),
    "cluster": Column(pl.Int64, "its cluster; -1 is noise; null if it is too small to be grouped"),
    "kind_id": Column(pl.Int64, "its kind, which keeps its number from fit to fit; null for noise and what is small"),
    "name": Column(pl.String, "what it shows; null if unnamed"),
    "scientific_name": Column(pl.String, "of the name, if anybody gave it"),
    "probability": Column(
        pl.Float64,
        "that the name is right: 1 from a person, calibrated if classified, by the rule of succession from a kind; of "
        "an unnamed one, that the best guess were right; null where there is none",
    ),
    "name_source": Column(pl.String, "where the name is from: person, classified, kind or unnamed"),
    "nearest_labelled": Column(pl.String, "the tracklet with a name from a person that looks most alike, not itself"),
    "nearest_similarity": Column(pl.Float64, "cosine of the whitened features of both, -1 to 1"),
    "labels_version": Column(pl.String, "twelve digits that change with what people said"),
    "backbone": Column(pl.String, "what saw the crops"),
}

NAME_NEXT: Columns = {
    "rank": Column(pl.Int64, "from 1: name this one first"),
    "video": Column(pl.String, "partition key of the video"),
    "detection_id": Column(pl.String, "its best crop"),
    "tracklet_id": Column(pl.String, "the tracklet; null for a detection without one"),
    "cluster": Column(pl.Int64, "its cluster; -1 is noise; null if it is too small to be grouped"),
    "kind_id": Column(pl.Int64, "its kind; null for noise and what is small"),
    "reason": Column(pl.String, "medoid (of a cluster without a name), noise, small, or least_sure"),
}
