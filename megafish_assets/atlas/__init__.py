"""9. PICTURES: what people look at.

Here: montages, with the table that says which detection is which tile, films of tracklets, the explorer: a folder
with every crop on a map, whose page stands in `explorer_page/`, and the nightly report, one file (`report_page/`). Not
here: the plots of earlier stages, which lie with what they show.
"""
