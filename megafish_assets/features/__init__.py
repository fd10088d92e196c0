"""4. FEATURES: vectors made fit to be compared.

Here: principal components, what is turned down because it is not the fish, means of tracklets, layouts, the most similar
tracklets of each crop. Not here: which rows belong together.
"""
