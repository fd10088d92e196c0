"""7. NAMES: what people say that tracklets show, and the names of all others that follow from it.

Here: the labels table and the current word on each tracklet, few-shot classes with their probabilities, and which
tracklets to name next. Not here: the groups that are named, and how often a kind was seen.
"""
