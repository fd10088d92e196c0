"""5. PICTURES: what people look at.

Here: sheets of fish, one key a tile. Not here: the plots of earlier stages, which lie with what they show.
"""
