"""3. VECTORS: crops become vectors, one asset a backbone.

Here: which models there are, their weights, the geometry of their input, the forward pass, and the gate that keeps
broken rows from what is fitted to vectors. Not here: what the vectors are used for.
"""
