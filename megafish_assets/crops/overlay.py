"""Whole frames with their boxes drawn: what the detector saw, and which boxes were sampled."""

from dataclasses import dataclass, field

import cv2
import numpy as np

from megafish_assets.crops.cutting import pixel_box
from megafish_assets.footage.boxes import Boxes
from megafish_assets.footage.decoding import Frame

SAMPLED_BGR = (60, 220, 255)
OTHER_BGR = (200, 200, 200)
PICTURE_QUALITY = 80
FILE_WIDTH_PX = 1280
PAGE_WIDTH_PX = 400
"""Wide enough to see a fish, and about 20 kB in the event log."""


def draw_boxes(pixels_bgr: np.ndarray, boxes: Boxes, sampled_ids: set[str]) -> None:
    """Outlines every box on the picture itself: sampled ones yellow with their score, others thin and grey."""
    height, width = pixels_bgr.shape[:2]
    thick = max(1, width // 640)
    is_sampled = [detection_id in sampled_ids for detection_id in boxes.detection_ids]
    for row in np.argsort(is_sampled, kind="stable"):
        box = pixel_box(tuple(boxes.box_xywh_1024[row]), (width, height))
        if box is None:
            continue
        corners = (box.left_px, box.top_px), (box.right_px - 1, box.bottom_px - 1)
        if not is_sampled[row]:
            cv2.rectangle(pixels_bgr, *corners, OTHER_BGR, thick, cv2.LINE_AA)
            continue
        cv2.rectangle(pixels_bgr, *corners, SAMPLED_BGR, 2 * thick, cv2.LINE_AA)
        label, at = f"{boxes.scores[row]:.2f}", (box.left_px, max(12 * thick, box.top_px - 4 * thick))
        cv2.putText(pixels_bgr, label, at, cv2.FONT_HERSHEY_SIMPLEX, 0.4 * thick, SAMPLED_BGR, thick, cv2.LINE_AA)


@dataclass
class FrameKeeper:
    """Keeps the one frame of a video that is to be drawn, while the crops are cut."""

    frame_id: int
    kept: list[np.ndarray] = field(default_factory=list)
    """The frame with square pixels, BGR, once it has been seen."""

    def __call__(self, frame: Frame) -> None:
        if frame.frame_id == self.frame_id:
            self.kept.append(frame.square_bgr)


def jpeg(pixels_bgr: np.ndarray, width_px: int) -> bytes:
    """The picture as JPEG, scaled down to this width if it is wider."""
    height, width = pixels_bgr.shape[:2]
    if width > width_px:
        size = width_px, max(1, round(height * width_px / width))
        pixels_bgr = cv2.resize(pixels_bgr, size, interpolation=cv2.INTER_AREA)
    return cv2.imencode(".jpg", pixels_bgr, [cv2.IMWRITE_JPEG_QUALITY, PICTURE_QUALITY])[1].tobytes()
