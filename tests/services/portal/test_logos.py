"""Partners' logos: a file that is a picture and no more stands for the name, in every page and file; no other does."""

import struct
import zlib
from html import unescape
from pathlib import Path

import pytest

from services.portal.logos import MOST_BYTES, LogoRefused, picture, pictures
from services.portal.names import ProgrammeNames
from services.portal.publicity import logos, publicity
from services.portal.report_page import render_report_html
from tests.services.portal.documents import DOCUMENT, LISTED, report

SVG = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 2 1">{}</svg>'
DRAWN = SVG.format('<defs><path id="a" d="M0 0h1"/></defs><use xlink:href="#a" fill="url(#b)"/>')


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int = 2, height: int = 1) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    pixels = zlib.compress(b"\0\xff\0")
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "logos").mkdir()
    return tmp_path


def put(home: Path, name: str, data: bytes | str) -> Path:
    file = home / "logos" / name
    file.write_bytes(data if isinstance(data, bytes) else data.encode())
    return file


def test_a_picture_stands_in_the_programmes_order_beside_the_mark_and_a_name_where_there_is_none(home: Path) -> None:
    put(home, "leader_association.png", png())
    put(home, "university_of_applied_sciences.svg", SVG.format("<script/>"))
    put(home, "stranger.png", png())
    order = {"publicity": {"logos": ["university_of_applied_sciences", "leader_association"]}}
    listed = LISTED | {"document": DOCUMENT | order}
    html = render_report_html(report(), ProgrammeNames.of(listed, pictures(home)), "sv")
    foot = unescape(html.partition('<footer class="publicity"')[2])
    assert foot.count("<img") == 1
    assert 'alt="Leaderförening"' in foot
    assert foot.index("Yrkeshögskola") < foot.index("data:image/png;base64,") < foot.index("</footer>")
    assert "img-src data:" in html.partition("</head>")[0], "a file that is kept shows it too"


def test_a_new_file_stands_at_once_and_of_two_the_drawn_one(home: Path) -> None:
    found = pictures(home)
    assert found("town") is None
    put(home, "town.png", png())
    assert str(found("town")).startswith("data:image/png")
    put(home, "town.svg", DRAWN)
    assert str(found("town")).startswith("data:image/svg+xml")
    (shown,) = logos({"partners": [{"key": "town", "name": {"fi": "Kaupunki"}}]}, found)
    told = publicity("esf_2014_2020", [shown], "fi")
    assert told is not None
    assert (told.logos[0].name.text, told.logos[0].picture) == ("Kaupunki", found("town"))


@pytest.mark.parametrize(
    ("name", "data", "why"),
    [
        ("x.png", b"", "no PNG"),
        ("x.png", DRAWN, "no PNG"),
        ("x.png", png()[:-5], "damaged"),
        ("x.png", png() + b"<script>", "damaged"),
        ("x.png", png().replace(b"IDAT", b"IDAU"), "damaged"),
        ("x.png", png(0), "pixels"),
        ("x.png", b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", b""), "pixels"),
        ("x.svg", '<?xml version="1.0" encoding="x-nobodys"?>' + DRAWN, "no SVG"),
        ("x.png", png(5000), "pixels"),
        ("x.png", b"\x89PNG\r\n\x1a\n" + b"\xff" * 9, "damaged"),
        ("x.svg", b"x" * (MOST_BYTES + 1), "KiB"),
        ("x.svg", png(), "no SVG"),
        ("x.svg", "<html xmlns='http://www.w3.org/1999/xhtml'/>", "plain SVG"),
        ("x.svg", "<svg viewBox='0 0 1 1'/>", "plain SVG"),
        ("x.svg", DRAWN.replace("viewBox", "id"), "viewBox"),
        ("x.svg", f'<!DOCTYPE svg [<!ENTITY a "b">]>{DRAWN}', "DOCTYPE"),
        ("x.svg", f'<?xml-stylesheet href="https://example.org/a.css"?>{DRAWN}', "instruction"),
        ("x.svg", SVG.format("<script>alert(1)</script>"), "'script'"),
        ("x.svg", SVG.format("<foreignObject/>"), "'foreignObject'"),
        ("x.svg", SVG.format("<image href='https://example.org/a.png'/>"), "'image'"),
        ("x.svg", SVG.format("<svg/>"), "'svg'"),
        ("x.svg", SVG.format('<g onload="alert(1)"/>'), "'onload'"),
        ("x.svg", SVG.format('<use xlink:href="https://example.org/a.svg#a"/>'), "'href'"),
        ("x.svg", SVG.format('<g fill="url( &quot;https://example.org/a&quot;)"/>'), "'fill'"),
        ("x.svg", SVG.format("<style>@import 'https://example.org/a.css';</style>"), "style"),
        ("x.svg", SVG.format("<style>g { fill: \\75rl(https://example.org/a) }</style>"), "style"),
    ],
)
def test_a_file_that_is_more_or_less_than_a_picture_is_refused_and_says_why(
    home: Path, name: str, data: bytes | str, why: str
) -> None:
    with pytest.raises(LogoRefused, match=why):
        picture(put(home, name, data))
    assert pictures(home)("x") is None
