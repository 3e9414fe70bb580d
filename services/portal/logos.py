"""Partners' logos: files of the home, `logos/PARTNER.svg` or `.png`, set into pages as pictures.

A picture goes into the page as data in an <img>: it has no address of its own, runs nothing and loads nothing there,
and stands as well in a file that is kept. What could do either somewhere else is refused all the same.
"""

import re
import struct
import zlib
from base64 import b64encode
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any
from xml.parsers import expat

FOLDER = "logos"
"""Of the home."""
ENDINGS = {".svg": "image/svg+xml", ".png": "image/png"}
"""The first that is there holds."""
MOST_BYTES = 64 * 1024
"""Each page that somebody gets carries all of them."""
MOST_PIXELS = 4000

Pictures = Callable[[str], str | None]
"""The picture of a partner by key, as the address of an <img>; None where a name stands instead."""

_SVG = "http://www.w3.org/2000/svg"
_DRAWS = frozenset(
    {
        *("svg", "g", "defs", "symbol", "use", "title", "desc", "style", "path", "rect", "circle", "ellipse", "line"),
        *("polyline", "polygon", "text", "tspan", "stop", "mask", "pattern", "clipPath"),
        *("linearGradient", "radialGradient"),
    }
)
_LEADS_OUT = re.compile(r"""url\(\s*['"]?\s*(?!['"#\s])|[@\\]|(?:java|vb)script:|expression\(""", re.IGNORECASE)


class LogoRefused(Exception):
    """A file that is not taken for a logo; the text says why."""


def nobodys(_partner: str) -> str | None:
    """The `Pictures` of a home that has none."""
    return None


def pictures(home: Path) -> Pictures:
    """Those of the home at this path; a file that is refused or cannot be read is none."""

    def of(partner: str) -> str | None:
        try:
            file = file_of(home, partner)
            return None if file is None else picture(file)
        except (LogoRefused, OSError):
            return None

    return of


def file_of(home: Path, partner: str) -> Path | None:
    """Where the partner's logo is."""
    files = (home / FOLDER / f"{partner}{ending}" for ending in ENDINGS)
    return next((file for file in files if file.is_file()), None)


def contents(home: Path) -> dict[str, str]:
    """All logos of the home, of whatever programme, as base64 by file name; what is not taken for one is left out."""
    found = {}
    for file in sorted((home / FOLDER).glob("*")):
        with suppress(LogoRefused, OSError):
            if file.suffix in ENDINGS and file.is_file():
                found[file.name] = picture(file).partition(",")[2]
    return found


def picture(file: Path) -> str:
    """The file as the address of an <img>. Raises `LogoRefused`, or `OSError` if it cannot be read."""
    stat = file.stat()
    return _picture(file, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=64)
def _picture(file: Path, _changed: int, size: int) -> str:
    if size > MOST_BYTES:
        raise LogoRefused(f"more than {MOST_BYTES // 1024} KiB")
    data = file.read_bytes()
    (_check_svg if file.suffix == ".svg" else _check_png)(data)
    return f"data:{ENDINGS[file.suffix]};base64,{b64encode(data).decode()}"


def _check_png(data: bytes) -> None:
    """Signature, sound chunks from the header to the end, nothing behind it, a size that a screen has."""
    if not data.startswith(b"\x89PNG\r\n\x1a\n"):
        raise LogoRefused("no PNG")
    at, kinds = 8, list[bytes]()
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at : at + 8]) if at + 8 <= len(data) else (0, b"")
        body, crc = data[at + 4 : at + 8 + length], data[at + 8 + length : at + 12 + length]
        if len(crc) != 4 or zlib.crc32(body) != int.from_bytes(crc, "big"):
            raise LogoRefused("a PNG that is damaged")
        if not kinds and (
            kind != b"IHDR" or length != 13 or not all(0 < n <= MOST_PIXELS for n in struct.unpack(">II", body[4:12]))
        ):
            raise LogoRefused(f"a PNG of no size, or of more than {MOST_PIXELS} pixels a side")
        kinds.append(kind)
        at += 12 + length
        if kind == b"IEND":
            break
    if b"IDAT" not in kinds or kinds[-1] != b"IEND" or at != len(data):
        raise LogoRefused("a PNG that is damaged")


def _check_svg(data: bytes) -> None:
    """Shapes alone: no script, no declaration of its own, nothing that is fetched from elsewhere."""
    parser, depth = expat.ParserCreate(namespace_separator=" "), [0]

    def refuse(what: str) -> Callable[..., None]:
        def handler(*_: Any) -> None:
            raise LogoRefused(what)

        return handler

    def begin(name: str, attributes: dict[str, str]) -> None:
        space, _, local = name.rpartition(" ")
        if space != _SVG or local not in _DRAWS or (depth[0] == 0) != (local == "svg"):
            raise LogoRefused(f"an SVG with {local[:40]!r}: save it as plain SVG")
        if depth[0] == 0 and "viewBox" not in attributes:
            raise LogoRefused("an SVG without viewBox, which cannot be scaled")
        depth[0] += 1
        for key, value in attributes.items():
            at = key.rpartition(" ")[2].lower()
            if at.startswith("on") or (at == "href" and not value.strip().startswith("#")) or _LEADS_OUT.search(value):
                raise LogoRefused(f"an SVG whose {at[:40]!r} leads elsewhere")

    def end(_name: str) -> None:
        depth[0] -= 1

    def text(said: str) -> None:
        if _LEADS_OUT.search(said):
            raise LogoRefused("an SVG whose style leads elsewhere")

    parser.buffer_text = True
    parser.buffer_size = 2 * MOST_BYTES
    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = begin, end, text
    parser.StartDoctypeDeclHandler = refuse("an SVG with a DOCTYPE")
    parser.ProcessingInstructionHandler = refuse("an SVG with an instruction")
    try:
        parser.Parse(data, True)
    except (expat.ExpatError, LookupError, ValueError):  # an encoding that nobody has, too
        raise LogoRefused("no SVG") from None
