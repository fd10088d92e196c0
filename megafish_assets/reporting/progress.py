"""How far long work has come, with its rate and an estimate, in the run's log."""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from threading import Lock

import numpy as np

EVERY_SECONDS = 10.0
"""Often enough to see that it moves, seldom enough for a log that a person reads."""


@dataclass
class Progress:
    """Says at most every ten seconds, and at the end, how much is done. Threads may count at once."""

    say: Callable[[str], None]
    what: str
    """What is counted, as in `3 of 12 <what>`."""
    total: int
    done: int = 0
    started: float = field(default_factory=time.monotonic)
    said: float = field(default_factory=time.monotonic)
    counting: Lock = field(default_factory=Lock)

    def step(self, n: int = 1) -> None:
        """Counts n more as done."""
        with self.counting:
            self._step(n)

    def _step(self, n: int) -> None:
        self.done += n
        now = time.monotonic()
        if now - self.said < EVERY_SECONDS and self.done < self.total:
            return
        self.said = now
        if self.done == self.total and now - self.started < 1:
            self.say(f"{self.done} of {self.total} {self.what}")  # a rate of so short a time says nothing
            return
        rate = self.done / max(now - self.started, 1e-9)
        left = f", about {(self.total - self.done) / rate:.0f} s left" if self.done < self.total else ""
        self.say(f"{self.done} of {self.total} {self.what}, {_told(rate)} a second{left}")


def _told(rate: float) -> str:
    return f"{rate:,.0f}" if rate >= 10 else f"{rate:.2g}"


@dataclass(frozen=True)
class Counted:
    """Blocks of rows, to be passed through as often as wanted; each one counts as done when the next is asked for."""

    make: Callable[[], Iterable[np.ndarray]]
    progress: Progress

    def __iter__(self) -> Iterator[np.ndarray]:
        for block in self.make():
            yield block
            self.progress.step(len(block))
