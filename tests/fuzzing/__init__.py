"""Damage done to real files on purpose, and the judge of what `read` makes of it.

`tests/readers/test_fuzz.py` runs a bounded, fixed part of it; `scripts/fuzz_readers` runs it for hours.
"""
