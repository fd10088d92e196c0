"""Ctrl-C and the like: how a command ends at once, with all that it has started."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence

STOPPED = 128 + signal.SIGINT
"""What a shell takes for Ctrl-C."""


def stopping_at_once(command: Sequence[str]) -> int:
    """Runs a command so that Ctrl-C, a closed terminal or a SIGTERM end it and all that it has started at once.

    Whatever it was in the middle of: tables are whole after every commit, and what a run leaves open is ended at the
    next start.
    """
    worker = subprocess.Popen(command, start_new_session=True)
    for ending in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(ending, signal.default_int_handler)
    try:
        code = worker.wait()
    except KeyboardInterrupt:
        for ending in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            signal.signal(ending, signal.SIG_IGN)
        os.killpg(worker.pid, signal.SIGKILL)
        worker.wait()
        print("\nstopped: what is done stays, and `materialise` goes on from there", file=sys.stderr, flush=True)
        return STOPPED
    if code < 0:
        why = "; out of memory, if nobody did it" if -code == signal.SIGKILL else ""
        print(f"the work was ended by {signal.Signals(-code).name}{why}", file=sys.stderr, flush=True)
        return 128 - code
    return code


def end_with(parent: int) -> None:
    """Ends this process, and its group, once the one that started it is gone without a word."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os.killpg(0, signal.SIGKILL)

    threading.Thread(target=watch, daemon=True).start()
