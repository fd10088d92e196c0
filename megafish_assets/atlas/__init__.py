"""9. PICTURES: what people look at.

Here: montages, with the table that says which detection is which tile, and films of tracklets. Not here: the plots of
earlier stages, which lie with what they show.
"""
