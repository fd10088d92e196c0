"""megafish: find out what an underwater camera saw.

The folders tell the story of the data, in the order it flows: `detections` (rows), `crops` (pixels),
`embeddings` (vectors), `clusters` (groups), `atlas` (pictures). `orchestration` is the machine room,
`reef` a synthetic camera, and `definitions.py` shows the whole platform on one page.
"""
