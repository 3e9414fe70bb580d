"""From the bytes of a CSV file to records of text cells, one line at a time, with every flaw named by its line.

A record is one line: no cell of a set may hold a line break, so a quote that is never closed costs one line and not the
rest of the file. Nothing is kept: memory does not grow with the file.
"""

import csv
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from shared.contracts.commands import CONTROL

MAX_LINE_BYTES = 64 * 1024

Report = Callable[[int, str, str], None]
"""Takes line, column (empty: the whole line) and reason."""

_COLUMN_NAME = re.compile(r"[A-Za-z_]{1,40}")


class Unreadable(Exception):
    """The file cannot be read on from here; the reason is already reported."""


def records(
    path: Path, columns: Sequence[str], report: Report, optional: Sequence[str] = ()
) -> Iterator[tuple[int, list[str]]]:
    """Line number and cells of each record after the header, cells in the order of `columns`.

    `optional`, the last of them, may be left out of the header: then they are empty.

    Lines without anything are passed over. A flawed line is reported and left out; a file whose header or encoding is
    wrong raises `Unreadable` after its report.
    """
    lines = _lines(path, report)
    first = next(lines, None)
    if first is None:
        report(1, "", "the file is empty: not even a header")
        raise Unreadable
    header = _header(first[1], columns, optional, report)
    left_out = [place for place, column in enumerate(columns) if column not in header]
    for number, text in lines:
        if not text:
            continue
        cells = _cells(number, text, report, header)
        if cells is None:
            continue
        if len(cells) != len(header):
            report(number, "", f"{len(cells)} cells, but the header has {len(header)} columns")
            continue
        for place in left_out:
            cells.insert(place, "")
        yield number, cells


def _lines(path: Path, report: Report) -> Iterator[tuple[int, str]]:
    """Decoded lines without their ends. Encoding is checked here, so that the line of a bad byte is known."""
    try:
        file = path.open("rb")
    except OSError as error:
        report(1, "", f"cannot be read: {error.strerror}")
        raise Unreadable from None
    with file:
        number = 0
        while raw := file.readline(MAX_LINE_BYTES + 1):
            number += 1
            if number == 1:
                if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
                    report(1, "", "the file is UTF-16; save it as UTF-8")
                    raise Unreadable
                raw = raw.removeprefix(b"\xef\xbb\xbf")
            if len(raw) > MAX_LINE_BYTES:
                report(number, "", f"the line is longer than {MAX_LINE_BYTES // 1024} KiB")
                raise Unreadable
            if b"\0" in raw:
                report(number, "", "holds a NUL byte: damaged, or not UTF-8")
                raise Unreadable
            try:
                text = raw.decode()
            except UnicodeDecodeError as error:
                report(number, "", f"not UTF-8 (byte {error.start + 1} of the line); Latin-1 or Windows-1252?")
                raise Unreadable from None
            yield number, text.rstrip("\n").removesuffix("\r")


def _cells(number: int, text: str, report: Report, columns: Sequence[str] = ()) -> list[str] | None:
    """The cells, None after reporting a flaw; a control character by its column, where the line has all of them."""
    try:
        cells = text.split(",") if '"' not in text else next(csv.reader([text], strict=True))
    except csv.Error:
        cells = []
    if CONTROL.search(text):
        spoilt = [column for column, cell in zip(columns, cells, strict=False) if CONTROL.search(cell)]
        for column in spoilt if len(cells) == len(columns) and spoilt else [""]:
            report(number, column, "holds a control character (a tab, a mark that turns the text around, or the like)")
        return None
    if not cells:
        report(number, "", "a quote is not closed on its line, or text follows a closing quote")
        return None
    return cells


def _header(text: str, columns: Sequence[str], optional: Sequence[str], report: Report) -> Sequence[str]:
    """The columns that the file has. Reports every difference.

    A line that is no header at all is never shown: it may be a person's row.
    """
    if "\r" in text:
        report(1, "", "the lines end with CR only; save the file with LF or CRLF")
        raise Unreadable
    cells = _cells(1, text, report)
    columns = [column for column in columns if column not in optional or column in (cells or ())]
    if cells == columns:
        return columns
    if cells is None:
        raise Unreadable
    if len(set(cells) & set(columns)) * 2 < len(columns):
        if {*text.split(";")} & {*columns} and ";" in text:
            report(1, "", "the columns are parted by semicolons; commas are needed")
        else:
            report(1, "", f"the first line is not the header: {','.join(columns)}")
        raise Unreadable
    for column in columns:
        if column not in cells:
            report(1, column, "the column is missing")
        elif cells.count(column) > 1:
            report(1, column, "the column stands in the header twice")
    for cell in dict.fromkeys(cells):
        if cell not in columns:
            known = _COLUMN_NAME.fullmatch(cell) is not None
            report(1, cell if known else "", "there is no such column" if known else "a column has no proper name")
    if sorted(cells) == sorted(columns):
        wrong = next(place for place, pair in enumerate(zip(cells, columns, strict=True)) if pair[0] != pair[1])
        report(1, cells[wrong], f"the columns stand in another order; {columns[wrong]} belongs here")
    raise Unreadable


def stamp_of(path: Path) -> tuple[int, int, int] | None:
    """What tells whether a file is still the same one: inode, size, time of change. None if it is not there."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns
