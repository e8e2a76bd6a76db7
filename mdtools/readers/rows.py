"""Rows of numbers to arrays, compiled: the only place where the text of a frame is read.

A column is taken as a number, taken as a word, or skipped without being converted. Every row is checked for too few
and too many columns; nothing is read beyond the end that was given.
"""

from typing import Any

import numpy as np

from mdtools.readers.compiled import compiled

__all__ = ["BAD_NUMBER", "FEW_ROWS", "GOOD", "LONG_ROW", "MANY_ROWS", "SHORT_ROW", "SKIP", "WORD", "end_of_rows", "parse_rows"]

GOOD, FEW_ROWS, SHORT_ROW, LONG_ROW, BAD_NUMBER, MANY_ROWS = range(6)
SKIP, WORD = -1, 1000  # what to do with a column: skip it, or put the hash of the word into column (slot - WORD)

_POWERS = 10.0 ** np.arange(23)  # exact in float64, so a number of at most 15 digits is rounded correctly
_MOST_DIGITS = 18  # of an int64
_HASH_BITS = 2**52 - 1  # fits a float64


@compiled
def _number(text, at, stop):
    """One decimal number from text[at:stop]: (value, where it ends); the end is -1 where there is no number."""
    negative = text[at] == 45
    if negative or text[at] == 43:
        at += 1
    mantissa: Any = np.int64(0)
    digits, after_point, seen = 0, False, 0
    exponent: Any = 0
    while at < stop:
        digit = np.int64(text[at]) - 48
        if 0 <= digit <= 9:
            seen += 1
            if digits < _MOST_DIGITS:
                mantissa = mantissa * 10 + digit
                digits += mantissa > 0
                exponent -= after_point
            else:
                exponent += not after_point
        elif digit == -2 and not after_point:
            after_point = True
        else:
            break
        at += 1
    if seen == 0:
        return 0.0, -1
    # e E d D
    if at < stop and (text[at] | 32 == 101 or text[at] | 32 == 100):
        at += 1
        down = at < stop and text[at] == 45
        if at < stop and (down or text[at] == 43):
            at += 1
        power: Any = 0
        seen = 0
        while at < stop and 48 <= text[at] <= 57:
            power = min(power * 10 + np.int64(text[at]) - 48, 9999)
            seen += 1
            at += 1
        if seen == 0:
            return 0.0, -1
        exponent += -power if down else power
    value = float(mantissa)
    if exponent < 0:
        value = value / _POWERS[-exponent] if exponent >= -22 else value * 10.0**exponent
    elif exponent > 0:
        value = value * _POWERS[exponent] if exponent <= 22 else value * 10.0**exponent
    return (-value if negative else value), at


@compiled
def parse_rows(text, starts, stops, slots, loose, out):
    """Fill out[frame, row, column] from the rows of each frame: (status, frame, row, byte).

    text : bytes. starts, stops : where the rows of each frame lie. slots : for each column of the file a column of
    `out`, SKIP, or WORD + column. loose : numbers may run together ("0.1-0.2") and words may follow the last column.
    """
    for frame in range(len(starts)):
        at, stop = starts[frame], stops[frame]
        for row in range(out.shape[1]):
            for column in range(len(slots)):
                while at < stop and (text[at] == 32 or text[at] == 9 or text[at] == 13):
                    at += 1
                if at >= stop or text[at] == 10:
                    return (FEW_ROWS if column == 0 and at >= stop else SHORT_ROW), frame, row, at
                slot = slots[column]
                if slot == SKIP:
                    while at < stop and text[at] > 32:
                        at += 1
                elif slot >= WORD:
                    word = np.int64(0)
                    while at < stop and text[at] > 32:
                        word = (word * 1315423911 + np.int64(text[at]) + 1) & _HASH_BITS
                        at += 1
                    out[frame, row, slot - WORD] = float(word)
                else:
                    value, end = _number(text, at, stop)
                    if end < 0 or (end < stop and text[end] > 32 and not (loose and (text[end] == 45 or text[end] == 43))):
                        return BAD_NUMBER, frame, row, at
                    out[frame, row, slot] = value
                    at = end
            while at < stop and (text[at] == 32 or text[at] == 9 or text[at] == 13):
                at += 1
            if loose and at < stop and text[at] > 64:
                while at < stop and text[at] != 10:
                    at += 1
            if at < stop and text[at] != 10:
                return LONG_ROW, frame, row, at
            at += 1
        while at < stop:
            if text[at] > 32:
                return MANY_ROWS, frame, out.shape[1], at
            at += 1
    return GOOD, 0, 0, 0


@compiled
def end_of_rows(text, at, n_rows):
    """Where `n_rows` whole lines that start with a number end: (byte, lines found). A blank line or a word ends them early."""
    for row in range(n_rows):
        first = at
        while first < len(text) and (text[first] == 32 or text[first] == 9):
            first += 1
        if first >= len(text) or text[first] == 10 or text[first] == 13 or text[first] > 64:
            return at, row
        end = first
        while end < len(text) and text[end] != 10:
            end += 1
        if end >= len(text):
            return at, row
        at = end + 1
    return at, n_rows
