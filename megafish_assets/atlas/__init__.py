"""9. PICTURES: what people look at.

Here: sheets of fish, one key a tile, and films of tracklets. Not here: the plots of earlier stages, which lie with
what they show.
"""
