"""8. ECOLOGY: who was where and when.

Here: tracklets as sightings with their names, and counts of them over clips, minutes, hours, days and the whole
collection. Not here: how a tracklet comes by its name, and what is written to files for others.
"""
