"""Crops on their way to a model."""

import cv2
import numpy as np
import pytest
import torch

from megafish_assets.crops.batches import CropBatches, UndecodableCropError, decoded_rgb
from megafish_assets.embeddings.geometry import square_maker

TO_SQUARE = square_maker("squash", 16, "bilinear", 1.0, (0.5, 0.5, 0.5))


def grey(level: int, size_hw: tuple[int, int] = (20, 30)) -> bytes:
    """A flat JPEG, which keeps its level exactly."""
    return cv2.imencode(".jpg", np.full((*size_hw, 3), level, np.uint8))[1].tobytes()


def crops(n: int) -> CropBatches:
    """Pictures of different sizes, each as bright as its number."""
    ids = np.array([f"v/000000/{i:03d}" for i in range(n)], dtype=str)
    return CropBatches(ids, [grey(i, (8 + i, 40 - i)) for i in range(n)], "cpu")


@pytest.mark.parametrize(
    ("n", "batch_size", "expected"), [(0, 2, []), (1, 2, [1]), (5, 2, [2, 2, 1]), (30, 4, [4] * 7 + [2])]
)
def test_every_crop_comes_once_and_in_order(n: int, batch_size: int, expected: list[int]) -> None:
    given = crops(n)
    batches = list(given.batches(TO_SQUARE, batch_size))
    assert len(given) == n
    assert [len(batch.detection_ids) for batch in batches] == expected
    assert [name for batch in batches for name in batch.detection_ids] == given.detection_ids.tolist()
    for batch in batches:
        assert batch.pixels_rgb.dtype == torch.uint8
        assert batch.pixels_rgb.shape == (len(batch.detection_ids), 3, 16, 16)
    assert [int(level) for batch in batches for level in batch.pixels_rgb[:, 0, 8, 8]] == list(range(n))


def test_channels_are_red_green_blue() -> None:
    red_bgr = np.zeros((16, 16, 3), np.uint8)
    red_bgr[..., 2] = 255
    picture = decoded_rgb(cv2.imencode(".png", red_bgr)[1].tobytes())
    assert picture[0, 0].tolist() == [255, 0, 0]


@pytest.mark.parametrize("junk", [b"", b"junk", grey(5)[:20]], ids=["no bytes", "text", "only a header"])
def test_a_crop_that_is_no_picture_is_named(junk: bytes) -> None:
    given = CropBatches(np.array(["v/000000/000", "v/000007/002"]), [grey(1), junk], "cpu")
    with pytest.raises(UndecodableCropError, match="v/000007/002"):
        list(given.batches(TO_SQUARE, 1))


def test_crops_are_given_video_by_video_also_where_one_key_begins_another() -> None:
    keys = ["GX01", "GX01-2", "GX01.b", "a", "b", "c"]
    ids = np.array(sorted(f"{key}/{frame:06d}/000" for key in keys for frame in range(3)), dtype=object)
    batches = CropBatches(ids, [name.encode() for name in ids], "cpu")
    for n in (1, 2, 4, 8):
        groups = list(batches.by_videos(n))
        assert sorted(key for own, _ in groups for key in own) == keys
        assert [name for _, own in groups for name in own.detection_ids] == list(ids)
        for own, part in groups:
            assert {name.split("/")[0] for name in part.detection_ids} == set(own)
            assert [jpeg.decode() for jpeg in part.jpegs] == list(part.detection_ids)
    assert list(batches.none().by_videos(8)) == []
