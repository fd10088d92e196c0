"""megafish: find out what an underwater camera saw.

The folders tell the story of the data, in the order it flows: `detections` (rows), `crops` (pixels),
`embeddings` (vectors), `clusters` (groups), `atlas` (pictures). `orchestration` is the machine room,
`reef` a synthetic camera, and `definitions.py` shows the whole platform on one page.
"""

import os

# OpenBLAS reads this when numpy is first imported. By its own default (26) its threads spin some 25 ms after a product,
# on the cores with which polars wants to read the next rows; 2**18 cycles are a tenth of a millisecond.
os.environ.setdefault("OPENBLAS_THREAD_TIMEOUT", "18")  # noqa: TID251  written, not read
