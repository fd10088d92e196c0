"""Vectors and their detections, to a table and back."""

import numpy as np
import polars as pl
import pytest
import torch

from megafish_assets.embeddings.batch import EmbeddingBatch, to_matrix
from megafish_assets.embeddings.columns import VECTORS


def batch(n: int, dim: int = 5, version: str = "v1") -> EmbeddingBatch:
    """Vectors of a few videos, sorted by id."""
    ids = np.array(sorted(f"clip_{i % 3}/{i:06d}/000" for i in range(n)), dtype=str)
    rows = np.random.default_rng(n).normal(size=(n, dim))
    return EmbeddingBatch.from_rows(ids, rows, version)


@pytest.mark.parametrize("n", [0, 1, 50])
def test_a_batch_comes_back_from_its_table(n: int) -> None:
    given = batch(n)
    frame = given.to_frame()
    assert dict(frame.schema) == {name: column.dtype for name, column in VECTORS.items()}
    assert frame.select(pl.col("detection_id").str.split("/").list.first())["detection_id"].equals(frame["video"])
    again = EmbeddingBatch.from_frame(frame.sample(fraction=1.0, shuffle=True, seed=1), "cpu")
    assert again.detection_ids.tolist() == given.detection_ids.tolist()
    assert np.array_equal(again.on_cpu(), given.on_cpu().reshape(n, again.dim))
    assert (len(again), again.n_outdated) == (n, 0)
    assert again.vectors.dtype == torch.float32
    assert again.vectors_version == ("v1" if n else "")


def test_rows_of_another_version_are_left_out_and_counted() -> None:
    frame = pl.concat([batch(4, version="new").to_frame(), batch(9, dim=7, version="old").to_frame().tail(3)])
    found = EmbeddingBatch.from_frame(frame, "cpu", version="new")
    assert (len(found), found.dim, found.n_outdated, found.vectors_version) == (4, 5, 3, "new")


def test_a_table_of_outdated_rows_only_is_empty() -> None:
    found = EmbeddingBatch.from_frame(batch(6, version="old").to_frame(), "cpu", version="new")
    assert (len(found), found.n_outdated, found.vectors_version) == (0, 6, "new")


def test_mixed_versions_are_refused_when_none_is_asked_for() -> None:
    frame = pl.concat([batch(2, version="new").to_frame(), batch(3, version="old").to_frame()])
    with pytest.raises(ValueError, match=r"2 versions .*'new', 'old'"):
        EmbeddingBatch.from_frame(frame, "cpu")


@pytest.mark.parametrize("shape", [(3, 5), (5, 5), (4,), (4, 5, 1)])
def test_vectors_that_do_not_match_their_detections_are_refused(shape: tuple) -> None:
    with pytest.raises(ValueError, match="for 4 detections"):
        EmbeddingBatch(np.array(list("abcd")), torch.zeros(shape), "v1")


@pytest.mark.parametrize("rows", [[[1.0], [1.0, 2.0]], [[1.0], None], [None, None]])
def test_lists_of_several_lengths_are_no_matrix(rows: list) -> None:
    with pytest.raises(ValueError, match="expected one length"):
        to_matrix(pl.Series(rows, dtype=pl.List(pl.Float32)))


def test_an_empty_column_is_a_matrix_without_rows() -> None:
    assert to_matrix(pl.Series([], dtype=pl.List(pl.Float32))).shape == (0, 0)


def test_a_matrix_keeps_every_number() -> None:
    rows = [[1.5, -2.0, float("inf")], [0.1, 3e-38, 7.0]]
    assert np.array_equal(to_matrix(pl.Series(rows, dtype=pl.List(pl.Float32))), np.array(rows, np.float32))
