"""The compiled parser of rows: numbers as Python reads them, and no row too short or too long."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mdtools.readers import rows


def parse(text, n_rows, slots, n_columns, *, loose=False):
    array = np.frombuffer(text.encode(), dtype=np.uint8)
    out = np.full((1, n_rows, n_columns), np.nan)
    status, _, row, _ = rows.parse_rows(array, np.array([0]), np.array([len(array)]), np.array(slots), loose, out)
    return status, row, out[0]


@settings(max_examples=200, deadline=None)
@given(st.floats(allow_nan=False, allow_infinity=False, width=32), st.sampled_from(["{:g}", "{:.8f}", "{:.15g}", "{:.16e}", "{:+.6E}"]))
def test_a_number_is_what_python_reads(value, form):
    text = form.format(value)
    status, _, out = parse(f" {text}\n", 1, [0], 1)
    assert status == rows.GOOD
    assert out[0, 0] == pytest.approx(float(text), rel=4e-16, abs=1e-300)
    if len(text) < 15 and 1e-9 < abs(value) < 1e15:
        assert out[0, 0] == float(text)


@pytest.mark.parametrize(
    "text", ["1", "-1", "+1", "1.", ".5", "-.5", "1e3", "1E-3", "1d2", "00012", "123456789012345678901234567890", "0.00000000000000000000001234"]
)
def test_ways_to_write_a_number(text):
    status, _, out = parse(text + "\n", 1, [0], 1)
    assert status == rows.GOOD
    assert out[0, 0] == pytest.approx(float(text.replace("d", "e")), rel=1e-15)


@pytest.mark.parametrize("text", ["nan", "inf", "-", ".", "1e", "1.2.3", "0x10", "1,5", "--1", "1-2", "*****"])
def test_what_is_not_a_number_is_said(text):
    assert parse(f"1 {text}\n", 1, [0, 1], 2)[0] == rows.BAD_NUMBER


def test_columns_that_are_not_needed_are_skipped_unread():
    status, _, out = parse("1 Ca nan 2.5\n2 F **** 3.5\n", 2, [0, rows.SKIP, rows.SKIP, 1], 2)
    assert status == rows.GOOD
    assert out.tolist() == [[1, 2.5], [2, 3.5]]


def test_words_are_told_apart():
    status, _, out = parse("Ca\nF\nCa\nCb\n", 4, [rows.WORD], 1)
    assert status == rows.GOOD
    assert out[0] == out[2]
    assert len(set(out[:, 0])) == 3


@pytest.mark.parametrize(
    ("text", "status", "row"),
    [
        ("1 2\n3\n", rows.SHORT_ROW, 1),
        ("1 2\n\n3 4\n", rows.SHORT_ROW, 1),
        ("1 2\n3 4 5\n", rows.LONG_ROW, 1),
        ("1 2\n", rows.FEW_ROWS, 1),
        ("1 2\n3 4\n5 6\n", rows.MANY_ROWS, 2),
        ("1 2\r\n\t3 4  \r\n\n \n", rows.GOOD, 0),
        ("1 2\n3 4", rows.GOOD, 0),
    ],
)
def test_rows_are_counted_and_measured(text, status, row):
    assert parse(text, 2, [0, 1], 2)[:2] == (status, row)


def test_numbers_may_run_together_only_where_that_is_allowed():
    assert parse("0.1-0.2-0.3\n", 1, [0, 1, 2], 3)[0] == rows.BAD_NUMBER
    status, _, out = parse("0.1-0.2-0.3 Li\n", 1, [0, 1, 2], 3, loose=True)
    assert status == rows.GOOD
    assert out[0].tolist() == [0.1, -0.2, -0.3]


@settings(max_examples=200, deadline=None)
@given(st.text("ITEM:ab\n", max_size=40), st.sampled_from(["ITEM:", "I", "II", "ab", "aab"]), st.integers(0, 45), st.integers(0, 45))
def test_a_word_is_found_where_python_finds_it(text, word, at, stop):
    content, wanted = (np.frombuffer(one.encode(), dtype=np.uint8) for one in (text + " ", word))
    assert rows.find(content, wanted, at, stop) == (text + " ").find(word, at, stop)
