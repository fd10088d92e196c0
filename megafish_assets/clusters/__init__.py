"""5. GROUPS: rows that belong together.

Here: the sweep over k with its silhouettes, recipes, groupings, and which clusters other videos show too. Not here: the
features that are grouped, and how far the groups follow the fish.
"""
