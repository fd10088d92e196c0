"""1. ROWS: what the detector saw.

Here: its rows typed, keyed and timed, their faults, tracklets and the pan that they tell, size limits, the filter, the
sample, and the plots of these. Not here: pixels, and how the detector's own table is read (`orchestration`).
"""
