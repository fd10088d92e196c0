"""1. ROWS: what the detector saw.

Here: typing and timing its rows, faults, tracklets and the pan that they tell, size limits, the filter, the sample,
and their plots. Not here: pixels.
"""
