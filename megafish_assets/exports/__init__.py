"""10. FILES: rows become bytes that other programs read.

Here: spreadsheets, archives of biodiversity, formats of boxes, each whole or not at all, in `<root>/exports/<export>/`.
Not here: what is counted and named, which the stages before have done; nothing is computed anew for a file.
"""
