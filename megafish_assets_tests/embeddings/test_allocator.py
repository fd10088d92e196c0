"""Freed memory is kept: counted by the kernel's page faults, in a process of its own."""

import subprocess
import sys

PASSES, MB = 20, 64

FAULTS = f"""
import resource, sys
import numpy as np
from megafish_assets.embeddings.allocator import keep_freed_memory
assert sys.argv[1] == "as it is" or keep_freed_memory()
np.ones({MB} << 20, np.uint8)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range({PASSES}):
    np.ones({MB} << 20, np.uint8)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(how: str) -> int:
    """Pages that twenty blocks of 64 MB, one after the other, make the kernel map."""
    done = subprocess.run([sys.executable, "-c", FAULTS, how], check=True, capture_output=True, text=True)
    return int(done.stdout)


def test_a_block_that_was_freed_is_taken_again_without_asking_the_system() -> None:
    assert faults("as it is") >= PASSES  # numpy asks for pages of 2 MB; small ones would be 16,000 a block
    assert faults("kept") < PASSES
