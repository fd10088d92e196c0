"""4. GROUPS: vectors reduced and grouped.

Here: PCA, the sweep over k, the clusters, UMAP, and their plots. Not here: pictures of fish.
"""
