"""4. FEATURES: vectors made fit to be compared.

Here: principal components, what is turned down because it is not the fish, means of tracklets, layouts, and the
tracklets that look most like each crop. Not here: which rows belong together.
"""
