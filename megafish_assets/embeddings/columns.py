"""The columns of an `embeddings_<backbone>` table."""

import polars as pl

from megafish_assets.footage.columns import KEY, Column, Columns

VECTORS: Columns = KEY | {
    "vector": Column(pl.List(pl.Float32), "the model's pooled output, not normalised; as long as the backbone is wide"),
    "vectors_version": Column(pl.String, "model, weights and preprocessing that made the vector"),
}
