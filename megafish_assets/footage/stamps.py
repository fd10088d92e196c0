"""When a frame is shown, from the stamps that its container gives it.

Here: the rules for stamps that are missing, go back or jump. Not here: decoding.
"""

from dataclasses import dataclass
from fractions import Fraction

FURTHEST_BACK_SECONDS = 0.1
"""Stamps that fall back further begin anew: two recordings joined, or a counter that wrapped.

Source: ffmpeg's own limit, `ts_discontinuity_process` of ffmpeg_demux.c."""

FALLS_BEFORE_FRAMES = 16
"""At a join the stamps of the packets fall back too, at most as many frames earlier as a decoder holds. Where they do
not, frames are only stamped out of order, and stand still until their stamps have caught up."""

FURTHEST_ON_SECONDS = 10.0
"""A further leap is a join too, in containers whose stamps are a running clock (MPEG's streams); elsewhere it is a gap
in the recording. Source: ffmpeg's `-dts_delta_threshold`."""

DEFAULT_FPS = 25
"""Of a bare stream of pictures that tells no rate; FFmpeg's assumption."""


WITHOUT_STAMPS = ("avi",)
"""Containers that store none; what FFmpeg makes up for frames that are shown in another order is out of order."""


@dataclass
class PresentationClock:
    """Is told the stamps of one video's frames, in the order in which they are shown."""

    time_base: Fraction
    """Seconds of one unit of a stamp."""
    period_seconds: float
    """From one frame to the next, where no stamp says it."""
    may_leap: bool
    """Whether the container's stamps are a running clock, which leaps where recordings were joined."""
    has_stamps: bool = True
    """Whether the container stores when frames are shown, and not only an order of packets."""
    offset: float = 0.0
    """Added to a stamp's seconds, so that time goes on over a join."""
    before: float | None = None
    """Seconds of the frame before."""
    first: float | None = None
    decoded_before: int | None = None
    n_since_fall: int = FALLS_BEFORE_FRAMES + 1
    """Frames since the order of packets fell back."""

    def seconds(self, presented: int | None, decoded: int | None) -> float:
        """Seconds of the next frame from the first, never less than those of the frame before.

        `presented` is the frame's own stamp, `decoded` that of the packet after which it came out of the decoder, which
        comes as regularly; None where there is none.
        """
        stamp = presented if presented is not None and self.has_stamps else decoded
        follows = self.decoded_before is not None and decoded is not None and self.decoded_before <= decoded
        falls = decoded is None or not (follows or self.before is None)
        self.n_since_fall = 0 if falls else self.n_since_fall + 1
        self.decoded_before = decoded
        if self.before is None:
            self.before = self.first = 0.0 if stamp is None else self._told(stamp)
            return 0.0
        following = self.before + self.period_seconds
        if stamp is None:
            self.before = following
        else:
            moment = self._told(stamp) + self.offset
            step = moment - self.before
            is_back = step < -FURTHEST_BACK_SECONDS and self.n_since_fall <= FALLS_BEFORE_FRAMES
            if is_back or (self.may_leap and step > FURTHEST_ON_SECONDS):
                self.offset += following - moment
                moment = following
            self.before = max(moment, self.before)
        return self.before - self.first

    def _told(self, stamp: int) -> float:
        # Not their product, which would reduce a fraction for each frame.
        return stamp * self.time_base.numerator / self.time_base.denominator
