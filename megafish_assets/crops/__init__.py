"""2. PIXELS: each video decoded once, in order, and its sampled fish cut out.

Here: decoding, what stamps and planes mean, cutting, drawing boxes, and crops on their way to a model. Not here:
models. From this stage on nothing opens a video.
"""
