"""The columns of this stage's tables."""

import polars as pl

from megafish_assets.embeddings.columns import VECTORS
from megafish_assets.footage.columns import KEY, Column, Columns

PCA: Columns = VECTORS | {
    "vector": Column(pl.List(pl.Float32), "principal components of the standardised vector, largest variance first"),
}


MODEL: Columns = {
    "part": Column(pl.String, "which of the model's matrices"),
    "index": Column(pl.Int64, "row of that matrix, from 0"),
    "values": Column(pl.List(pl.Float64), "the row's numbers"),
}
"""A fitted model: PCA's `mean`, `scale`, `component` and `spectrum`, a whitening's `mean`, `direction`, `between`."""


WHITENING: Columns = MODEL | {
    "vectors_version": Column(pl.String, "version of the vectors that it was fitted to"),
}


FEATURES: Columns = VECTORS | {
    "vector": Column(pl.List(pl.Float32), "the whitened vector, of unit length: what differs between fish"),
}


UMAP: Columns = KEY | {
    "position": Column(pl.List(pl.Float32), "UMAP coordinates, 4 unless configured"),
}


NEIGHBORS: Columns = KEY | {
    "neighbor_ids": Column(
        pl.List(pl.String), "crops of the nearest other tracklets, one a tracklet, nearest first, at most 50"
    ),
    "distances": Column(pl.List(pl.Float32), "cosine distance of each, between whitened vectors, 0 to 2"),
}
