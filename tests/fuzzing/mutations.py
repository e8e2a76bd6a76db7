"""Ways to damage a file, each with what must become of it.

Every mutation is a function (random, content, spans) -> `Damaged`. None of them may yield another valid file (a digit changed, two
atoms of one species exchanged): nobody could tell. What each must give is one of

    same    every number of the unharmed file, nothing else
    cut     exactly the frames before the damage, with a note; a refusal only where no frame is left
    sound   a refusal that names the file and the frame, or the frames before the damage and a note, or every number (the damage
            lies in what is not read)
    subset  whole frames were taken out, repeated or exchanged: what comes back are frames of the unharmed file
    robust  damage that cannot be told from data (binary): a refusal or a trajectory, no crash
"""

import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from fuzzing.specimens import Span

__all__ = ["BINARY", "PACKED", "TEXT", "Damaged"]

Must = Literal["same", "cut", "sound", "subset", "robust"]


@dataclass(frozen=True)
class Damaged:
    """What is written, what must become of it, the frame that is damaged (None for the whole file), and whether a line must be named."""

    content: bytes
    must: Must
    frame: int | None = None
    line: bool = False
    suffix: str = ""


Mutation = Callable[[random.Random, bytes, list[Span]], Damaged]
# digits, signs, points and blanks could make another number, letters another label
_NOISE = bytes(b for b in range(256) if b not in b"0123456789+-._ \t\r\n" and not bytes([b]).isalpha())
# tokens that are no number of any file; Python alone takes the one with _, C alone takes the one with 0x
_NO_NUMBER = (b"nan", b"-NaN", b"inf", b"-Infinity", b"1e999", b"****", b"abc", b"0x1F", b"1_0", b"1,5", b"--1", b"1.2.3", b"1e+", b".", "١".encode())


def _lines(content: bytes, start: int, stop: int) -> list[tuple[int, int]]:
    """(start, end behind the line end) of every line between two bytes."""
    return [(start + m.start(), start + m.end()) for m in re.finditer(rb"[^\n]*\n|[^\n]+\Z", content[start:stop])]


def _tokens(content: bytes, start: int, stop: int) -> list[tuple[int, int]]:
    return [(start + m.start(), start + m.end()) for m in re.finditer(rb"\S+", content[start:stop])]


def _replaced(content: bytes, span: tuple[int, int], new: bytes) -> bytes:
    return content[: span[0]] + new + content[span[1] :]


def _pick(rng: random.Random, spans: list[Span]) -> tuple[int, Span]:
    frame = rng.randrange(len(spans))
    return frame, spans[frame]


def _frame_of(spans: list[Span], at: int) -> int:
    return next((frame for frame, span in enumerate(spans) if at < span.stop), len(spans) - 1)


# harmless ---------------------------------------------------------------------------------------------------------------------


def windows_line_ends(rng: random.Random, content: bytes, spans: list[Span]) -> Damaged:
    return Damaged(content.replace(b"\n", b"\r\n"), "same")


def some_windows_line_ends(rng: random.Random, content: bytes, spans: list[Span]) -> Damaged:
    return Damaged(b"".join(line + (b"\r\n" if rng.random() < 0.5 else b"\n") for line in content.split(b"\n")[:-1]), "same")


def trailing_blanks(rng: random.Random, content: bytes, spans: list[Span]) -> Damaged:
    return Damaged(content.replace(b"\n", b" " * rng.randint(1, 30) + b"\n"), "same")


def trailing_blanks_somewhere(rng: random.Random, content: bytes, spans: list[Span]) -> Damaged:
    """In the middle of the file, so that frames do not have one length."""
    first, last = sorted(rng.randrange(len(content)) for _ in range(2))
    return Damaged(content[:first] + content[first:last].replace(b"\n", b"  \t\n") + content[last:], "same")


def blank_lines_at_the_end(rng: random.Random, content: bytes, spans: list[Span]) -> Damaged:
    return Damaged(content + b"\n" * rng.randint(1, 5) + b"  \n" * rng.randint(0, 3), "same")


def wider_columns(rng: random.Random, content: bytes, spans: list[Span]) -> Damaged:
    """More blanks between the numbers of the rows."""
    out, at, space = bytearray(), 0, rng.choice((b"   ", b"\t", b" \t "))
    for span in spans:
        rows = re.sub(rb"(?<=\S)[ \t]+(?=\S)", space, content[span.rows : span.stop])
        out += content[at : span.rows] + rows
        at = span.stop
    return Damaged(bytes(out + content[at:]), "same")


# cut --------------------------------------------------------------------------------------------------------------------------


def cut_anywhere(rng: random.Random, content: bytes, spans: list[Span]) -> Damaged:
    at = rng.randrange(1, len(content))
    return Damaged(content[:at], "cut", _frame_of(spans, at))


def cut_at_a_line_end(rng: random.Random, content: bytes, spans: list[Span]) -> Damaged:
    at = rng.choice(_lines(content, 0, len(content)))[1]
    return Damaged(content[:at], "cut", _frame_of(spans, at) if at < len(content) else len(spans))


def cut_near_the_end(rng: random.Random, content: bytes, spans: list[Span]) -> Damaged:
    at = len(content) - rng.randint(1, 40)
    return Damaged(content[:at], "cut", _frame_of(spans, at))


def cut_in_a_header(rng: random.Random, content: bytes, spans: list[Span]) -> Damaged:
    _, span = _pick(rng, spans)
    at = rng.randrange(span.start, span.rows)
    return Damaged(content[:at], "cut", _frame_of(spans, at))


def only_a_header(rng: random.Random, content: bytes, spans: list[Span]) -> Damaged:
    return Damaged(content[: spans[0].rows], "cut", 0)


def empty(rng: random.Random, content: bytes, spans: list[Span]) -> Damaged:
    return Damaged(rng.choice((b"", b"\n", b" ", b"\r\n\r\n", b"\0", b"I", content[:1])), "cut", 0)


# lines ------------------------------------------------------------------------------------------------------------------------


def drop_a_row(rng: random.Random, content: bytes, spans: list[Span]) -> Damaged:
    frame, span = _pick(rng, spans)
    return Damaged(_replaced(content, rng.choice(_lines(content, span.rows, span.stop)), b""), "sound", frame)


def repeat_a_row(rng: random.Random, content: bytes, spans: list[Span]) -> Damaged:
    frame, span = _pick(rng, spans)
    line = rng.choice(_lines(content, span.rows, span.stop))
    return Damaged(content[: line[1]] + content[line[0] : line[1]] + content[line[1] :], "sound", frame)


def replace_a_row_by_another(rng: random.Random, content: bytes, spans: list[Span]) -> Damaged:
    """Two rows say the same atom; only where rows carry ids (see `Specimen.skip`)."""
    frame, span = _pick(rng, spans)
    lines = _lines(content, span.rows, span.stop)
    one, other = rng.sample(range(len(lines)), 2)
    return Damaged(_replaced(content, lines[one], content[slice(*lines[other])]), "sound", frame)


def exchange_two_rows(rng: random.Random, content: bytes, spans: list[Span]) -> Damaged:
    """Harmless where rows carry ids (see `Specimen.skip`)."""
    _, span = _pick(rng, spans)
    lines = [content[slice(*line)] for line in _lines(content, span.rows, span.stop)]
    rng.shuffle(lines)
    return Damaged(content[: span.rows] + b"".join(lines) + content[span.stop :], "same")


def drop_a_header_line(rng: random.Random, content: bytes, spans: list[Span]) -> Damaged:
    frame, span = _pick(rng, spans)
    return Damaged(_replaced(content, rng.choice(_lines(content, span.start, span.rows)), b""), "sound", frame)


def repeat_a_header_line(rng: random.Random, content: bytes, spans: list[Span]) -> Damaged:
    frame, span = _pick(rng, spans)
    line = rng.choice(_lines(content, span.start, span.rows))
    return Damaged(content[: line[1]] + content[line[0] : line[1]] + content[line[1] :], "sound", frame)


def blank_line_among_the_rows(rng: random.Random, content: bytes, spans: list[Span]) -> Damaged:
    frame, span = _pick(rng, spans)
    at = rng.choice(_lines(content, span.rows, span.stop))[0]
    return Damaged(content[:at] + b"\n" + content[at:], "sound", frame)


def join_two_lines(rng: random.Random, content: bytes, spans: list[Span]) -> Damaged:
    frame, span = _pick(rng, spans)
    at = rng.choice(_lines(content, span.start, span.stop)[:-1] or [(span.start, span.rows)])[1]
    return Damaged(content[: at - 1] + b" " * rng.randint(0, 1) + content[at:], "sound", frame)


def break_a_line(rng: random.Random, content: bytes, spans: list[Span]) -> Damaged:
    frame, span = _pick(rng, spans)
    line = rng.choice(_lines(content, span.rows, span.stop))
    at = rng.randrange(line[0], line[1])
    return Damaged(content[:at] + b"\n" + content[at:], "sound", frame)


def huge_line(rng: random.Random, content: bytes, spans: list[Span]) -> Damaged:
    frame, span = _pick(rng, spans)
    at = rng.choice(_lines(content, span.start, span.stop))[0]
    return Damaged(content[:at] + rng.choice((b"x", b"9", b" 1", b"-")) * 300_000 + content[at:], "sound", frame)


# frames -----------------------------------------------------------------------------------------------------------------------


def drop_a_frame(rng: random.Random, content: bytes, spans: list[Span]) -> Damaged:
    frame = rng.randrange(1, len(spans))
    return Damaged(_replaced(content, (spans[frame].start, spans[frame].stop), b""), "subset", frame)


def repeat_a_frame(rng: random.Random, content: bytes, spans: list[Span]) -> Damaged:
    frame = rng.randrange(1, len(spans))
    span = spans[frame]
    return Damaged(content[: span.stop] + content[span.start : span.stop] + content[span.stop :], "subset", frame)


def exchange_two_frames(rng: random.Random, content: bytes, spans: list[Span]) -> Damaged:
    frame = rng.randrange(1, len(spans) - 1)
    one, two = spans[frame], spans[frame + 1]
    return Damaged(content[: one.start] + content[two.start : two.stop] + content[one.start : one.stop] + content[two.stop :], "subset", frame)


# tokens -----------------------------------------------------------------------------------------------------------------------


def no_number_in_a_row(rng: random.Random, content: bytes, spans: list[Span]) -> Damaged:
    frame, span = _pick(rng, spans)
    token = rng.choice(_tokens(content, span.rows, span.stop))
    return Damaged(_replaced(content, token, rng.choice(_NO_NUMBER)), "sound", frame, line=True)


def no_number_in_a_header(rng: random.Random, content: bytes, spans: list[Span]) -> Damaged:
    frame, span = _pick(rng, spans)
    tokens = [t for t in _tokens(content, span.start, span.rows) if re.fullmatch(rb"[-+0-9.eE]+", content[slice(*t)])]
    if not tokens:
        return only_a_header(rng, content, spans)
    return Damaged(_replaced(content, rng.choice(tokens), rng.choice(_NO_NUMBER)), "sound", frame)


def wrong_word_in_a_header(rng: random.Random, content: bytes, spans: list[Span]) -> Damaged:
    """Flags of the box, names of columns; not the first word of a file, which says what it is."""
    frame, span = _pick(rng, spans)
    tokens = [t for t in _tokens(content, span.start, span.rows) if not re.fullmatch(rb"[-+0-9.eE]+", content[slice(*t)])][1:]
    if not tokens:
        return only_a_header(rng, content, spans)
    return Damaged(_replaced(content, rng.choice(tokens), rng.choice((b"q?", b"?", b"\xff", "\xe9".encode()))), "sound", frame)


def wrong_count(rng: random.Random, content: bytes, spans: list[Span]) -> Damaged:
    """A number of atoms: the last line of a header that holds whole numbers alone."""
    frame, span = _pick(rng, spans)
    found = list(re.finditer(rb"(?m)^[ \t]*(?:\d+[ \t]+)*(\d+)[ \t]*$", content[span.start : span.rows]))
    if not found:
        return only_a_header(rng, content, spans)
    number = int(found[-1][1])
    wrong = rng.choice((number + 1, number - 1, number + 100, 2 * number, 0, -1, -number, 10**7, 10**9, 10**18, 10**30, 2**31, 2**63))
    text = rng.choice((b"%d" % wrong, b"1e18", b"%d." % number, b"%d.5" % number, b""))
    return Damaged(_replaced(content, (span.start + found[-1].start(1), span.start + found[-1].end(1)), text), "sound", frame)


def drop_a_token(rng: random.Random, content: bytes, spans: list[Span]) -> Damaged:
    frame, span = _pick(rng, spans)
    return Damaged(_replaced(content, rng.choice(_tokens(content, span.rows, span.stop)), b""), "sound", frame)


def one_token_more(rng: random.Random, content: bytes, spans: list[Span]) -> Damaged:
    frame, span = _pick(rng, spans)
    _, end = rng.choice(_tokens(content, span.rows, span.stop))
    return Damaged(content[:end] + rng.choice((b" 7", b" 0.5", b" nan", b"\0")) + content[end:], "sound", frame)


def exchange_id_and_another(rng: random.Random, content: bytes, spans: list[Span]) -> Damaged:
    """The first token of a row, which is an id or a symbol, and another; only where it is one (see `Specimen.skip`)."""
    frame, span = _pick(rng, spans)
    tokens = _tokens(content, *rng.choice(_lines(content, span.rows, span.stop)))
    if len(tokens) < 2:
        return only_a_header(rng, content, spans)
    (a, b), (c, d) = tokens[0], rng.choice(tokens[1:])
    return Damaged(content[:a] + content[c:d] + content[b:c] + content[a:b] + content[d:], "sound", frame)


def exchange_column_names(rng: random.Random, content: bytes, spans: list[Span]) -> Damaged:
    """In the header of one frame only: the columns of a trajectory do not change."""
    frame, span = _pick(rng, spans)
    tokens = _tokens(content, *_lines(content, span.start, span.rows)[-1])[2:]
    if len(tokens) < 2:
        return only_a_header(rng, content, spans)
    (a, b), (c, d) = sorted(rng.sample(tokens, 2))
    return Damaged(content[:a] + content[c:d] + content[b:c] + content[a:b] + content[d:], "sound", frame)


def repeat_a_column_name(rng: random.Random, content: bytes, spans: list[Span]) -> Damaged:
    """In every header alike: two columns of one name."""
    line = content[slice(*_lines(content, spans[0].start, spans[0].rows)[-1])]
    names = line.split()
    one, other = rng.sample(range(2, len(names)), 2) if len(names) > 3 else (0, 0)
    names[one] = names[other]
    return Damaged(content.replace(line, b" ".join(names) + b"\n"), "sound")


def drop_a_column_name(rng: random.Random, content: bytes, spans: list[Span]) -> Damaged:
    line = content[slice(*_lines(content, spans[0].start, spans[0].rows)[-1])]
    names = line.split()
    if len(names) > 2:
        del names[rng.randrange(2, len(names))]
    return Damaged(content.replace(line, b" ".join(names) + b"\n"), "sound")


# bytes ------------------------------------------------------------------------------------------------------------------------


def _overwritten(rng: random.Random, content: bytes, spans: list[Span], new: bytes) -> Damaged:
    at = rng.randrange(len(content))
    new = new[: len(content) - at]
    return Damaged(content[:at] + new + content[at + len(new) :], "sound", _frame_of(spans, at))


def noise_over(rng: random.Random, content: bytes, spans: list[Span]) -> Damaged:
    return _overwritten(rng, content, spans, bytes(rng.choices(_NOISE, k=rng.choice((1, 4, 16, 64, 500)))))


def noise_between(rng: random.Random, content: bytes, spans: list[Span]) -> Damaged:
    at = rng.randrange(len(content))
    noise = bytes(rng.choices(_NOISE, k=rng.choice((1, 4, 64, 5000))))
    return Damaged(content[:at] + noise + content[at:], "sound", _frame_of(spans, at))


def not_ascii(rng: random.Random, content: bytes, spans: list[Span]) -> Damaged:
    return _overwritten(rng, content, spans, bytes(rng.choices(range(128, 256), k=rng.randint(1, 6))))


def zeros_over(rng: random.Random, content: bytes, spans: list[Span]) -> Damaged:
    """A block that the file system never wrote."""
    return _overwritten(rng, content, spans, b"\0" * rng.choice((1, 2, 8, 64, 512, 4096)))


def zeros_at_the_end(rng: random.Random, content: bytes, spans: list[Span]) -> Damaged:
    return Damaged(content + b"\0" * rng.choice((1, 100, 4096, 100_000)), "sound", len(spans) - 1)


def byte_order_mark(rng: random.Random, content: bytes, spans: list[Span]) -> Damaged:
    return Damaged(b"\xef\xbb\xbf" + content, "sound", 0)


TEXT: dict[str, Mutation] = {
    function.__name__: function
    for function in (
        windows_line_ends,
        some_windows_line_ends,
        trailing_blanks,
        trailing_blanks_somewhere,
        blank_lines_at_the_end,
        wider_columns,
        cut_anywhere,
        cut_at_a_line_end,
        cut_near_the_end,
        cut_in_a_header,
        only_a_header,
        empty,
        drop_a_row,
        repeat_a_row,
        replace_a_row_by_another,
        exchange_two_rows,
        drop_a_header_line,
        repeat_a_header_line,
        blank_line_among_the_rows,
        join_two_lines,
        break_a_line,
        huge_line,
        drop_a_frame,
        repeat_a_frame,
        exchange_two_frames,
        no_number_in_a_row,
        no_number_in_a_header,
        wrong_word_in_a_header,
        wrong_count,
        drop_a_token,
        one_token_more,
        exchange_id_and_another,
        exchange_column_names,
        repeat_a_column_name,
        drop_a_column_name,
        noise_over,
        noise_between,
        not_ascii,
        zeros_over,
        zeros_at_the_end,
        byte_order_mark,
    )
}


# packed -----------------------------------------------------------------------------------------------------------------------


def _packed(rng: random.Random, content: bytes) -> tuple[str, bytes]:
    import bz2
    import gzip
    import lzma

    import zstandard

    pack = {
        ".gz": lambda data: gzip.compress(data, mtime=0),
        ".bz2": bz2.compress,
        ".xz": lzma.compress,
        ".zst": zstandard.ZstdCompressor(write_checksum=True).compress,
    }
    suffix = rng.choice(sorted(pack))
    middle = rng.randrange(1, len(content))
    parts = [content] if rng.random() < 0.7 else [content[:middle], content[middle:]]
    return suffix, b"".join(pack[suffix](part) for part in parts)


def pack_only(rng: random.Random, content: bytes, spans: list[Span]) -> Damaged:
    suffix, packed = _packed(rng, content)
    return Damaged(packed, "same", suffix=suffix)


def cut_the_packed_stream(rng: random.Random, content: bytes, spans: list[Span]) -> Damaged:
    suffix, packed = _packed(rng, content)
    return Damaged(packed[: rng.randrange(len(packed))], "sound", suffix=suffix)


def damage_the_packed_stream(rng: random.Random, content: bytes, spans: list[Span]) -> Damaged:
    """One or some bytes changed: all four packings carry a checksum."""
    suffix, packed = _packed(rng, content)
    at, number = rng.randrange(len(packed)), rng.choice((1, 1, 8, 200))
    noise = bytes((old + rng.randint(1, 255)) % 256 for old in packed[at : at + number])
    return Damaged(packed[:at] + noise + packed[at + number :], "sound", suffix=suffix)


def zeros_behind_the_packed_stream(rng: random.Random, content: bytes, spans: list[Span]) -> Damaged:
    suffix, packed = _packed(rng, content)
    return Damaged(packed + b"\0" * rng.choice((1, 4, 1000)), "same", suffix=suffix)


def damage_and_pack(rng: random.Random, content: bytes, spans: list[Span]) -> Damaged:
    """What is damaged before it is packed is as damaged behind it."""
    inner = TEXT[rng.choice(("cut_anywhere", "drop_a_row", "noise_over", "no_number_in_a_row"))](rng, content, spans)
    suffix, packed = _packed(rng, inner.content)
    return Damaged(packed, inner.must, inner.frame, suffix=suffix)


PACKED: dict[str, Mutation] = {
    function.__name__: function
    for function in (pack_only, cut_the_packed_stream, damage_the_packed_stream, zeros_behind_the_packed_stream, damage_and_pack)
}


# binary -----------------------------------------------------------------------------------------------------------------------


def cut_a_binary(rng: random.Random, content: bytes, spans: list[Span]) -> Damaged:
    return Damaged(content[: rng.randrange(len(content))], "sound")


def cut_the_head_of_a_binary(rng: random.Random, content: bytes, spans: list[Span]) -> Damaged:
    return Damaged(content[: rng.randrange(min(1000, len(content)))], "sound")


def noise_in_a_binary(rng: random.Random, content: bytes, spans: list[Span]) -> Damaged:
    at = rng.randrange(len(content))
    noise = rng.randbytes(rng.choice((1, 4, 64, 500)))[: len(content) - at]
    return Damaged(content[:at] + noise + content[at + len(noise) :], "robust")


def noise_in_the_head_of_a_binary(rng: random.Random, content: bytes, spans: list[Span]) -> Damaged:
    at = rng.randrange(min(600, len(content)))
    noise = rng.choice((b"\xff", b"\x7f", b"\0", rng.randbytes(1))) * rng.choice((1, 2, 4, 8))
    return Damaged(content[:at] + noise + content[at + len(noise) :], "robust")


def a_binary_of_nothing(rng: random.Random, content: bytes, spans: list[Span]) -> Damaged:
    return Damaged(rng.choice((b"", b"\0" * 5000, rng.randbytes(5000), content[:4], content[:100])), "sound")


BINARY: dict[str, Mutation] = {
    function.__name__: function
    for function in (cut_a_binary, cut_the_head_of_a_binary, noise_in_a_binary, noise_in_the_head_of_a_binary, a_binary_of_nothing)
}
