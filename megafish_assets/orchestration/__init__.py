"""When anything is made, from what, and who may ask for it.

Here: what comes from outside, arrivals, staleness, backfills, jobs, schedules, sensors, settings, serving. Not here:
assets, what any number means, and where a table lies.
"""
