"""6. JUDGES: how far groups follow the fish.

Here: measures with and without labels, what else groups may follow, backbones and recipes side by side. Not here: how
groups are made.
"""
