"""8. ECOLOGY: who was where and when, with whom, and whither.

Here: tracklets as sightings with their names, counts of them over clips, minutes, hours, days and the whole
collection, how many kinds there are, how each kind swims, in what groups, and how long it stays. Not here: how a
tracklet comes by its name, and what is written to files for others.
"""
