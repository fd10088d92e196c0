"""Vectors and their detections, to a table and back."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
import torch

from megafish_assets.embeddings.batch import EmbeddingBatch
from megafish_assets.embeddings.columns import VECTORS
from megafish_assets.embeddings.tables import EmbeddingStream, batch_of, to_matrix, vectors_table


def batch(n: int, dim: int = 5, version: str = "v1") -> EmbeddingBatch:
    """Vectors of a few videos, sorted by id."""
    ids = np.array(sorted(f"clip_{i % 3}/{i:06d}/000" for i in range(n)), dtype=str)
    rows = np.random.default_rng(n).normal(size=(n, dim))
    return EmbeddingBatch.from_rows(ids, rows, version)


@pytest.mark.parametrize("n", [0, 1, 50])
def test_a_batch_comes_back_from_its_table(n: int) -> None:
    given = batch(n)
    frame = vectors_table(given)
    assert dict(frame.schema) == {name: column.dtype for name, column in VECTORS.items()}
    assert frame.select(pl.col("detection_id").str.split("/").list.first())["detection_id"].equals(frame["video"])
    again = batch_of(frame.sample(fraction=1.0, shuffle=True, seed=1), "cpu")
    assert again.detection_ids.tolist() == given.detection_ids.tolist()
    assert np.array_equal(again.on_cpu(), given.on_cpu().reshape(n, again.dim))
    assert (len(again), again.n_outdated) == (n, 0)
    assert (again.on_cpu().dtype, again.device) == (np.float32, "cpu")
    assert again.vectors_version == ("v1" if n else "")


def test_rows_of_another_version_are_left_out_and_counted() -> None:
    frame = pl.concat([vectors_table(batch(4, version="new")), vectors_table(batch(9, dim=7, version="old")).tail(3)])
    found = batch_of(frame, "cpu", version="new")
    assert (len(found), found.dim, found.n_outdated, found.vectors_version) == (4, 5, 3, "new")


def test_a_table_of_outdated_rows_only_is_empty() -> None:
    found = batch_of(vectors_table(batch(6, version="old")), "cpu", version="new")
    assert (len(found), found.n_outdated, found.vectors_version) == (0, 6, "new")


def test_mixed_versions_are_refused_when_none_is_asked_for() -> None:
    frame = pl.concat([vectors_table(batch(2, version="new")), vectors_table(batch(3, version="old"))])
    with pytest.raises(ValueError, match=r"2 versions .*'new', 'old'"):
        batch_of(frame, "cpu")


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


def stream(frame: pl.DataFrame, version: str | None = None) -> EmbeddingStream:
    return EmbeddingStream.of_table(frame.sample(fraction=1.0, shuffle=True, seed=1).lazy(), version)


def test_a_table_without_vectors_streams_nothing() -> None:
    nothing = stream(vectors_table(batch(0)))
    assert (list(nothing), len(nothing), nothing.vectors_version) == ([], 0, "")


@pytest.mark.parametrize("most", [1, 20, 33, 34, 1000])
def test_a_stream_is_the_whole_table_in_order_as_often_as_wanted(most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("megafish_assets.embeddings.tables.STREAM_ROWS", most)
    given = batch(50)  # three videos of 17, 17 and 16 vectors
    streamed = stream(vectors_table(given))
    for _ in range(2):
        parts = list(streamed)
        assert np.concatenate([part.detection_ids for part in parts]).tolist() == given.detection_ids.tolist()
        assert np.array_equal(np.concatenate([part.on_cpu() for part in parts]), given.on_cpu())
    assert len(parts) == {1: 3, 20: 3, 33: 2, 34: 2, 1000: 1}[most]
    assert len(streamed) == 50


@pytest.mark.parametrize(("vectors_held", "groups_read"), [(50, 3), (49, 4), (33, 4), (32, 5), (16, 5), (15, 6)])
def test_a_stream_reads_again_what_it_may_not_hold(
    vectors_held: int, groups_read: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("megafish_assets.embeddings.tables.STREAM_ROWS", 1)  # a video at a time, of 17, 17 and 16
    monkeypatch.setattr("megafish_assets.embeddings.tables.HELD_BYTES", vectors_held * 5 * 4)
    table, groups = stream(vectors_table(batch(50))), []
    watched = replace(table, read=lambda videos: groups.append(videos) or table.read(videos)).holding()
    passes = [np.concatenate([part.on_cpu() for part in watched]) for _ in range(2)]
    assert np.array_equal(passes[0], batch(50).on_cpu()) and np.array_equal(passes[1], batch(50).on_cpu())
    assert len(groups) == groups_read


def test_a_pass_that_ends_early_leaves_the_next_one_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("megafish_assets.embeddings.tables.STREAM_ROWS", 1)
    streamed = stream(vectors_table(batch(50))).holding()
    next(iter(streamed))
    assert np.array_equal(np.concatenate([part.on_cpu() for part in streamed]), batch(50).on_cpu())


def test_a_stream_leaves_other_versions_out_and_counts_them() -> None:
    old, new = vectors_table(batch(3, version="old")), vectors_table(batch(7, version="new"))
    both = pl.concat([new, old.with_columns(pl.format("old_{}", "video").alias("video"))])
    streamed = stream(both, "new")
    assert (len(streamed), streamed.n_outdated) == (7, 3)
    assert streamed.outdated_videos == ("old_clip_0", "old_clip_1", "old_clip_2")
    assert sum(len(part) for part in streamed) == 7
    with pytest.raises(ValueError, match="vectors of 2 versions"):
        stream(both)


def test_a_stream_gives_its_ids_and_single_vectors_in_their_order() -> None:
    given = batch(50)
    streamed = stream(vectors_table(given))
    assert streamed.detection_ids().tolist() == given.detection_ids.tolist()
    wanted = given.detection_ids[[3, 20, 49]]
    assert np.array_equal(streamed.of(wanted), given.on_cpu()[[3, 20, 49]])
    assert len(streamed.of(wanted[:0])) == len(stream(vectors_table(batch(0))).of(wanted[:0])) == 0
    with pytest.raises(KeyError, match="1 of 2 ids have no vector"):
        streamed.of(np.array([wanted[0], "zzz"]))


def test_a_stream_is_sorted_by_id_where_one_key_begins_another() -> None:
    ids = np.array(sorted(f"{video}/{frame:06d}/000" for video in ("w", "w-2", "w.3") for frame in range(3)))
    assert ids[0].startswith("w-2/")
    streamed = stream(vectors_table(EmbeddingBatch.from_rows(ids, np.arange(9)[:, None], "v1")))
    assert np.concatenate([part.detection_ids for part in streamed]).tolist() == ids.tolist()
