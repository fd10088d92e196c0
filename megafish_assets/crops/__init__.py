"""2. PIXELS: each video decoded once, in order, and its sampled fish cut out.

Here: cutting, the colours of a crop's border, the motion of the scene, boxes drawn on frames, and crops on their way to
a model. Not here: how a frame is decoded (`footage`), and models. After this only films open a video again.
"""
