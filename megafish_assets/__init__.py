"""megafish: find out what an underwater camera saw.

The folders tell the story of the data, in the order in which it flows: `footage` (video), `detections` (rows), `crops`
(pixels), `embeddings` (vectors), `features`, `clusters` (groups), `evaluation` (judges), `atlas` (pictures). `storage`
keeps what they make, `reporting` turns numbers into words, `orchestration` knows when anything is made, `reef` is a
synthetic camera, and `definitions.py` shows the whole platform on one page.
"""
