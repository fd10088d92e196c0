"""0. VIDEO: files and what is in them.

Here: which file is which video, when it was recorded, its frames in the order in which they are shown, where a box
lies in a frame, the key of a detection. Not here: what a detector saw, and what becomes of it. Nothing later opens a
video itself.
"""
