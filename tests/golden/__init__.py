"""Golden values: a folder of inputs and expected outputs, checked through bench's public functions.

From the root of the repository:

    python -m tests.golden FOLDER [--json] [--values] [--only ITEM]

A folder holds `golden.json` and one `.npz` per item with arrays `in_*` and `out_*`. What an item
asks is read from the names of its arrays and its entry in `golden.json`; nothing here knows its
values. Files an item refers to by sha256 are found under `$BENCH_DATA`.
"""
