"""3. VECTORS: crops become vectors, one asset a backbone.

Here: which models there are, their weights, the geometry of their input, the forward pass. Not here: what the
vectors are used for.
"""
