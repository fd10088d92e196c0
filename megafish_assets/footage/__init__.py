"""0. VIDEO: files and what is in them.

Here: which file is which video, when it was recorded, its frames in the order in which they are shown, in which space
boxes were written, where one lies in a frame, the keys of detections and tracklets. Not here: what a detector saw, and
what becomes of it.
"""
