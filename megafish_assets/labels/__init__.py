"""7. NAMES: what people say, and what follows from it.

Here: the sheets on which people name fish. Not here: how far groups follow what was said, and counts of named fish.
"""
