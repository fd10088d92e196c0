"""Crops on their way to a model: decoded by worker threads, ahead of the forward pass, onto its device."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import cv2
import numpy as np

from megafish_assets.footage.ids import video_in

if TYPE_CHECKING:
    import torch

BATCHES_AHEAD = 3
"""Decoded batches that wait for the model: enough to hide decoding, few enough to stay small."""


class UndecodableCropError(ValueError):
    """A stored JPEG can't be decoded, so its bytes are not what `crops` wrote."""


@dataclass(frozen=True)
class CropBatch:
    """Some crops of one size, on a device."""

    detection_ids: np.ndarray
    """str `(n,)`, on the CPU."""
    pixels_rgb: torch.Tensor
    """uint8 `(n, 3, height, width)`, on the device, not normalised."""


@dataclass(frozen=True)
class CropBatches:
    """The crops of some videos, still as JPEG, and the device that they go to."""

    detection_ids: np.ndarray
    """str `(n,)`, sorted."""
    jpegs: Sequence[bytes]
    """One for each id."""
    device: str
    """As torch names it: `cpu`, `cuda`, `mps`."""

    def __len__(self) -> int:
        return len(self.jpegs)

    def none(self) -> CropBatches:
        """No crops, on the same device."""
        return CropBatches(self.detection_ids[:0], self.jpegs[:0], self.device)

    def by_videos(self, n: int) -> Iterator[tuple[list[str], CropBatches]]:
        """The crops of n videos at a time, with the videos' keys; those without crops are in none."""
        # In the order of the ids, which is not that of the keys: `w-2/...` sorts before `w/...`.
        videos = [video_in(detection_id) for detection_id in self.detection_ids]
        starts = {key: place for place, key in reversed(list(enumerate(videos)))}
        ordered = sorted(starts, key=starts.__getitem__)
        for first in range(0, len(ordered), n):
            keys, following = ordered[first : first + n], ordered[first + n : first + n + 1]
            part = slice(starts[keys[0]], starts[following[0]] if following else len(videos))
            yield keys, CropBatches(self.detection_ids[part], self.jpegs[part], self.device)

    def batches(self, shape: Callable[[np.ndarray], torch.Tensor], batch_size: int) -> Iterator[CropBatch]:
        """Every crop once, in order, in batches of at most `batch_size`; none for no crops.

        `shape` turns one picture (uint8 RGB `(height, width, 3)`) into a tensor (uint8 `(3, h, w)`, h and w the same
        for all); it runs in worker threads. Raises UndecodableCropError.
        """
        starts, moved = range(0, len(self), batch_size), mover(self.device)
        with ThreadPoolExecutor(max_workers=os.cpu_count()) as workers:
            ahead: deque = deque()
            for start in starts:
                part = slice(start, start + batch_size)
                items = zip(self.detection_ids[part], self.jpegs[part], strict=True)
                work = [workers.submit(_decoded, name, jpeg, shape) for name, jpeg in items]
                ahead.append((part, work))
                if len(ahead) > BATCHES_AHEAD:
                    yield self._batch(*ahead.popleft(), moved)
            while ahead:
                yield self._batch(*ahead.popleft(), moved)

    def _batch(self, part: slice, work: list, moved: Callable[[torch.Tensor], torch.Tensor]) -> CropBatch:
        import torch

        return CropBatch(self.detection_ids[part], moved(torch.stack([item.result() for item in work])))


def mover(device: str) -> Callable[[torch.Tensor], torch.Tensor]:
    """A function that gives a tensor on the device; onto a card by a stream of its own, beside the forward pass."""
    import torch

    if not device.startswith("cuda"):
        return lambda pixels: pixels.to(device)
    copies = copy_stream(device)

    def moved(pixels: torch.Tensor) -> torch.Tensor:
        with torch.cuda.stream(copies):
            there = pixels.pin_memory().to(device, non_blocking=True)
        computing = torch.cuda.current_stream(device)
        computing.wait_stream(copies)
        there.record_stream(computing)  # else its memory could take the next copy while the model still reads
        return there

    return moved


@cache
def copy_stream(device: str) -> torch.cuda.Stream:
    """The one of this process on this card: a stream's freed memory serves no other stream."""
    import torch

    return torch.cuda.Stream(device)


def decoded_rgb(jpeg: bytes) -> np.ndarray | None:
    """The picture in a JPEG, uint8 `(height, width, 3)`; None if it can't be decoded."""
    # OpenCV raises for no bytes at all, where it returns None for any others that are no picture.
    pixels = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR) if jpeg else None
    return None if pixels is None else cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB)


def _decoded(detection_id: str, jpeg: bytes, shape: Callable) -> torch.Tensor:
    pixels = decoded_rgb(jpeg)
    if pixels is None:
        raise UndecodableCropError(f"the stored crop of {detection_id} is not a JPEG picture: materialise crops again")
    return shape(pixels)
