"""From the bytes of a YAML file to plain data, with the line of every value.

PyYAML scans; the tree is built here from its events and not by its own constructor, because such a file must give
the same data to every reader. Only whole numbers, `true` and `false` are not text: no dates, no `no` for Norwegian, no
octal 0609, no base 60. Anchors, aliases and tags are refused before anything is expanded.
"""

import re
import unicodedata
from dataclasses import dataclass, field
from typing import Any

import yaml

from shared.documents.problems import Problem

MAX_BYTES = 512 * 1024
MAX_DEPTH = 12

Path = tuple[str | int, ...]

_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,17})")
_WORDS: dict[str, Any] = {"true": True, "false": False, "null": None, "~": None, "": None}


@dataclass
class Reading:
    """What was read: `data` is None if the file could not be read to its end."""

    data: Any = None
    lines: dict[Path, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def line(self, path: Path) -> int:
        """The line of the value at `path`, or of the nearest thing around it."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


def show_path(path: Path) -> str:
    """`("activities", 2, "group")` as `activities[2].group`."""
    shown = ""
    for part in path:
        shown += f"[{part}]" if isinstance(part, int) else f".{part}" if shown else part
    return shown


def read_yaml(raw: bytes) -> Reading:
    """Read one YAML document. Never raises for what the bytes hold: problems come back in the reading."""
    reading = Reading()
    text = _decode(raw, reading.problems)
    if text is None:
        return reading
    try:
        data = _Builder(reading, text).build()
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        reading.problems.append(Problem(line, "", "a character that no text may hold"))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        reading.problems.append(Problem(mark.line + 1 if mark else 1, "", _yaml_reason(error, mark, text)))
    except _Stop:
        pass
    else:
        reading.data = data
    return reading


def _decode(raw: bytes, problems: list[Problem]) -> str | None:
    if len(raw) > MAX_BYTES:
        problems.append(Problem(1, "", f"larger than {MAX_BYTES // 1024} KiB: no file of this kind is so big"))
    elif raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        problems.append(Problem(1, "", "the file is UTF-16; save it as UTF-8"))
    elif b"\0" in raw:
        line = raw.count(b"\n", 0, raw.index(b"\0")) + 1
        problems.append(Problem(line, "", "holds NUL bytes: not a text file, or not UTF-8"))
    else:
        try:
            text = raw.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = raw.count(b"\n", 0, error.start) + 1
            problems.append(Problem(line, "", f"not UTF-8 (byte {error.start + 1} of the file); save it as UTF-8"))
        else:
            if text.strip():
                return text.replace("\r\n", "\n").replace("\r", "\n")
            problems.append(Problem(1, "", "the file is empty"))
    return None


def _yaml_reason(error: yaml.MarkedYAMLError, mark: Any, text: str) -> str:
    lines = text.split("\n")
    if mark is not None and mark.line < len(lines) and "\t" in lines[mark.line][: mark.column + 1]:
        return "a tab is used as white space; YAML takes spaces only"
    return f"not YAML: {error.problem or error.context}"


def _line(event: Any) -> int:
    return int(event.start_mark.line) + 1


class _Stop(Exception):
    """The file cannot be read on; the problem is already noted."""


class _Builder:
    """Turns the events of one document into dicts, lists and scalars, noting problems by line."""

    def __init__(self, reading: Reading, text: str) -> None:
        self.reading = reading
        self.events = yaml.parse(text, Loader=yaml.SafeLoader)

    def problem(self, event: Any, path: Path, reason: str) -> None:
        self.reading.problems.append(Problem(_line(event), show_path(path), reason))

    def next(self) -> Any:
        return next(self.events)

    def build(self) -> Any:
        documents, data = 0, None
        for event in self.events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    self.problem(event, (), "a second document begins here; a file holds one")
                    raise _Stop
            elif isinstance(event, yaml.NodeEvent):
                data = self.value(event, ())
        return data

    def value(self, event: Any, path: Path) -> Any:
        self.reading.lines.setdefault(path, _line(event))
        if len(path) > MAX_DEPTH:
            self.problem(event, path[:MAX_DEPTH], f"nested deeper than {MAX_DEPTH} levels")
            raise _Stop
        if isinstance(event, yaml.AliasEvent):
            self.problem(event, path, "aliases (*) are not allowed: write the value out")
            return None
        if event.anchor is not None:
            self.problem(event, path, "anchors (&) are not allowed")
        if event.tag is not None:
            self.problem(event, path, "tags (!) are not allowed")
        if isinstance(event, yaml.MappingStartEvent):
            return self.mapping(path)
        if isinstance(event, yaml.SequenceStartEvent):
            return self.sequence(path)
        return self.scalar(event, path)

    def mapping(self, path: Path) -> dict[str, Any]:
        found: dict[str, Any] = {}
        while not isinstance(event := self.next(), yaml.MappingEndEvent):
            if not isinstance(event, yaml.ScalarEvent) or not event.value:
                self.problem(event, path, "a key must be one plain word")
                raise _Stop
            key = unicodedata.normalize("NFC", event.value)
            inner = (*path, key)
            if key in found:
                first = self.reading.lines[inner]
                self.problem(event, inner, f"the key stands here a second time (first in line {first})")
                shadow = _Builder.__new__(_Builder)  # reads the value past without touching what stood first
                shadow.reading, shadow.events = Reading(problems=self.reading.problems), self.events
                shadow.value(shadow.next(), inner)
                continue
            self.reading.lines[inner] = _line(event)
            found[key] = self.value(self.next(), inner)
        return found

    def sequence(self, path: Path) -> list[Any]:
        found: list[Any] = []
        while not isinstance(event := self.next(), yaml.SequenceEndEvent):
            found.append(self.value(event, (*path, len(found))))
        return found

    def scalar(self, event: Any, path: Path) -> Any:
        text = unicodedata.normalize("NFC", event.value)
        if event.style in ("|", ">"):
            self.problem(event, path, "block text (| or >) is not allowed: texts are one line")
            text = text.replace("\n", " ").strip()
        elif "\n" in text or event.end_mark.line != event.start_mark.line:
            self.problem(event, path, "the text goes over several lines: texts are one line")
            text = text.replace("\n", " ")
        if event.style is None:
            if event.value in _WORDS:
                return _WORDS[event.value]
            if _INTEGER.fullmatch(event.value):
                return int(event.value)
        return text
