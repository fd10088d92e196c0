"""1. ROWS: what the detector saw.

Here: typing and keying its rows, size limits, the filter, the sample, and their plots. Not here: anything
that opens a video.
"""
