"""Rows of numbers to arrays, compiled: the only place where the text of a frame is read.

A column is taken as a number, taken as a word, or skipped without being converted. Every row is checked for too few
and too many columns; nothing is read beyond the end that was given.
"""

from typing import Any

import numpy as np

from mdtools.readers.compiled import byte_at, compiled

__all__ = ["BAD_NUMBER", "FEW_ROWS", "GOOD", "LONG_ROW", "MANY_ROWS", "SHORT_ROW", "SKIP", "WORD", "end_of_rows", "find", "parse_rows"]

GOOD, FEW_ROWS, SHORT_ROW, LONG_ROW, BAD_NUMBER, MANY_ROWS = range(6)
SKIP, WORD = -1, 1000  # what to do with a column: skip it, or put the hash of the word into column (slot - WORD)

_POWERS = 10.0 ** np.arange(23)  # exact in float64, so a number of at most 15 digits is rounded correctly
_MOST_DIGITS = 18  # of an int64
_HASH_BITS = 2**52 - 1  # fits a float64
_AT_ONCE = 1024


@compiled
def _number(text, at, stop):
    """One decimal number from text[at:stop]: (value, where it ends); the end is -1 where there is no number. text : an address."""
    begin = at
    negative = byte_at(text, at) == 45
    if negative or byte_at(text, at) == 43:
        at += 1
    first = at
    mantissa: Any = np.uint64(0)
    while at < stop:
        digit = np.uint64(byte_at(text, at)) - np.uint64(48)  # what is below "0" becomes very large
        if digit > np.uint64(9):
            break
        mantissa = mantissa * np.uint64(10) + digit
        at += 1
    seen = at - first
    places: Any = 0
    if at < stop and byte_at(text, at) == 46:
        at += 1
        point = at
        while at < stop:
            digit = np.uint64(byte_at(text, at)) - np.uint64(48)
            if digit > np.uint64(9):
                break
            mantissa = mantissa * np.uint64(10) + digit
            at += 1
        places = at - point
        seen += places
    if seen == 0:
        return 0.0, -1
    if seen > _MOST_DIGITS:
        value, places = _long_mantissa(text, begin, at)
    else:
        value = float(np.int64(mantissa))
    exponent = -places
    # e E d D
    if at < stop and (byte_at(text, at) | 32 == 101 or byte_at(text, at) | 32 == 100):
        power, at = _power(text, at + 1, stop)
        if at < 0:
            return 0.0, -1
        exponent += power
    if exponent < 0:
        value = value / _POWERS[-exponent] if exponent >= -22 else value * 10.0**exponent
    elif exponent > 0:
        value = value * _POWERS[exponent] if exponent <= 22 else value * 10.0**exponent
    return (-value if negative else value), at


@compiled
def _long_mantissa(text, at, stop):
    """The digits of text[at:stop] as one whole number, those beyond the most significant dropped: (value, decimal places)."""
    mantissa: Any = np.int64(0)
    digits, after_point = 0, False
    places: Any = 0
    for k in range(at, stop):
        digit = np.int64(byte_at(text, k)) - 48
        if digit == -2:
            after_point = True
        elif 0 <= digit <= 9:
            if digits < _MOST_DIGITS:
                mantissa = mantissa * 10 + digit
                digits += mantissa > 0
                places += after_point
            else:
                places -= not after_point
    return float(mantissa), places


@compiled
def _power(text, at, stop):
    """The exponent behind an e: (power of ten, where it ends); the end is -1 where there is none."""
    down = at < stop and byte_at(text, at) == 45
    if at < stop and (down or byte_at(text, at) == 43):
        at += 1
    power: Any = 0
    seen = 0
    while at < stop and 48 <= byte_at(text, at) <= 57:
        power = min(power * 10 + np.int64(byte_at(text, at)) - 48, 9999)
        seen += 1
        at += 1
    return (-power if down else power), (at if seen else -1)


@compiled
def _is_blank(text, at):
    byte = byte_at(text, at)
    return byte == 32 or byte == 9 or byte == 13


@compiled
def parse_rows(content, starts, stops, slots, loose, out):
    """Fill out[frame, row, column] from the rows of each frame: (status, frame, row, byte).

    content : bytes. starts, stops : where the rows of each frame lie, within the content. slots : for each column of the
    file a column of `out`, SKIP, or WORD + column. loose : numbers may run together ("0.1-0.2") and words may follow the
    last column.
    """
    text = np.uint64(content.ctypes.data)
    for frame in range(len(starts)):
        at, stop = starts[frame], min(stops[frame], len(content))
        for row in range(out.shape[1]):
            for column in range(len(slots)):
                while at < stop and _is_blank(text, at):
                    at += 1
                if at >= stop or byte_at(text, at) == 10:
                    return (FEW_ROWS if column == 0 and at >= stop else SHORT_ROW), frame, row, at
                slot = slots[column]
                if slot == SKIP:
                    while at < stop and byte_at(text, at) > 32:
                        at += 1
                elif slot >= WORD:
                    word = np.int64(0)
                    while at < stop and byte_at(text, at) > 32:
                        word = (word * 1315423911 + np.int64(byte_at(text, at)) + 1) & _HASH_BITS
                        at += 1
                    out[frame, row, slot - WORD] = float(word)
                else:
                    value, end = _number(text, at, stop)
                    together = loose and end >= 0 and end < stop and (byte_at(text, end) == 45 or byte_at(text, end) == 43)
                    if end < 0 or (end < stop and byte_at(text, end) > 32 and not together):
                        return BAD_NUMBER, frame, row, at
                    out[frame, row, slot] = value
                    at = end
            while at < stop and _is_blank(text, at):
                at += 1
            if loose and at < stop and byte_at(text, at) > 64:
                while at < stop and byte_at(text, at) != 10:
                    at += 1
            if at < stop and byte_at(text, at) != 10:
                return LONG_ROW, frame, row, at
            at += 1
        while at < stop:
            if byte_at(text, at) > 32:
                return MANY_ROWS, frame, out.shape[1], at
            at += 1
    return GOOD, 0, 0, 0


@compiled
def end_of_rows(content, at, n_rows):
    """Where `n_rows` whole lines that start with a number end: (byte, lines found). A blank line or a word ends them early."""
    text, size = np.uint64(content.ctypes.data), len(content)
    for row in range(n_rows):
        first = at
        while first < size and (byte_at(text, first) == 32 or byte_at(text, first) == 9):
            first += 1
        if first >= size or byte_at(text, first) == 10 or byte_at(text, first) == 13 or byte_at(text, first) > 64:
            return at, row
        end = first
        while end < size and byte_at(text, end) != 10:
            end += 1
        if end >= size:
            return at, row
        at = end + 1
    return at, n_rows


@compiled
def find(content, word, at, stop):
    """Where `word` is next in content[at:stop], or -1. Many bytes at once are compared with the last of the word: it should be rare."""
    last = len(word) - 1
    at, stop = at + last, min(stop, len(content))
    while at < stop:
        piece = content[at : min(at + _AT_ONCE, stop)]
        met = False
        for byte in piece:
            met |= byte == word[last]
        if met:
            for k in range(at, at + len(piece)):
                if content[k] == word[last]:
                    same = 0
                    while same < last and content[k - last + same] == word[same]:
                        same += 1
                    if same == last:
                        return k - last
        at += len(piece)
    return -1
