"""Datasets -> figures, tables and one self-contained page. It shows what was measured and decides nothing.

Called `reporting` and not `report`, so that `mdtools.report` is always the function.
"""
