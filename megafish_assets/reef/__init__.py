"""A synthetic reef camera: underwater footage, a detector's table and the truth behind both, from one seed.

Here belongs what makes the demo's, the tests' and the benchmarks' recordings. Nothing that reads, judges or
clusters recordings belongs here, and no stage of the platform may import this room: to them a reef is files
in a folder.
"""
