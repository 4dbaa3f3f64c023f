"""What runs, twins and predictions look like: one module a kind of picture, one layout of sheets.

`drawing` writes all pictures of a run; the words that pages put beside them are
`benchmark.boards.pictures`.
"""
