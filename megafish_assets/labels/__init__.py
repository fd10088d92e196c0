"""7. NAMES: what people say that tracklets show, and the names of all others that follow from it.

Here: the sheets on which people name fish, the table of all that they said and the current word on each tracklet,
few-shot classes with their probabilities, and which tracklets to name next. Not here: the groups that are named, and
how often a kind was seen.
"""
