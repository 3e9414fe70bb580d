"""Reading a page in tests: is it well formed, what does it say."""

import re
from html.parser import HTMLParser
from typing import Any

_VOID = {"meta", "link", "input", "br", "col", "img", "path", "circle", "rect", "line"}


class Page(HTMLParser):
    """Parses strictly what our templates write: every element closed, in order; collects ids, text and links to ids.

    Who only hears a page hears a hint, and what is wrong, with the field, and what a link of a table is about: that is
    checked too.
    """

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.problems: list[str] = []
        self.ids: list[str] = []
        self.wanted: set[str] = set()
        self.headings: list[int] = []
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.said = ""
        self.fields: list[bool] = []
        self.hints: list[str] = []
        self.described: set[str] = set()
        self.links: dict[str, set[str]] = {}
        self._link = ("", "")
        self.feed(html)
        self.close()
        if self.open:
            self.problems.append(f"never closed: {self.open}")
        self.problems += [f"id twice: {name}" for name in set(self.ids) if self.ids.count(name) > 1]
        marked = {values.get("aria-errormessage") for _, values in self.elements}
        said = {name for name in self.ids if name.startswith("wrong-")} - {"wrong-", *marked}
        self.problems += [f"nothing is marked as {name}" for name in said if name.removeprefix("wrong-") in self.ids]
        self.problems += [f"no field names the hint {name!r}" for name in self.hints if name not in self.described]
        self.problems += [f"a table has several links {said!r}" for said, to in self.links.items() if len(to) > 1]
        self.problems += [f"nothing has the id {name}" for name in self.wanted - set(self.ids)]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if len(values) != len(attrs):
            self.problems.append(f"attribute twice in {tag}")
        self.elements.append((tag, values))
        if "id" in values:
            self.ids.append(values["id"])
        if tag == "p" and values.get("class") == "hint" and any(self.fields):
            self.hints.append(values.get("id", ""))
        self.described.update(values.get("aria-describedby", "").split())
        if tag == "a" and "tbody" in self.open:
            self._link = (values.get("href", ""), self.said)
        for name in ("for", "aria-labelledby", "aria-describedby", "aria-errormessage"):
            self.wanted.update(values.get(name, "").split())
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        for name in values:
            if name.startswith("on") or name == "style":
                self.problems.append(f"{name} in {tag}")
        if tag not in _VOID:
            self.open.append(tag)
            self.fields.append(tag == "fieldset" or "field" in values.get("class", "").split())

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self._close(tag)

    def handle_endtag(self, tag: str) -> None:
        self._close(tag)
        if tag == "a" and "tbody" in self.open:
            to, before = self._link
            self.links.setdefault(self.said.removeprefix(before).strip(), set()).add(to)

    def _close(self, tag: str) -> None:
        if self.fields:
            self.fields.pop()
        if not self.open or self.open.pop() != tag:
            self.problems.append(f"unexpected </{tag}>")

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.said += data


def page(answer: Any) -> Page:
    """The page that the portal answered with; it must be well formed."""
    read = Page(answer.get_data(as_text=True))
    assert read.problems == []
    return read


def table_rows(html: str, css_class: str) -> list[list[str]]:
    """The body of a table as texts, as a screen reader would say them."""
    table = re.search(rf'<table[^>]*class="[^"]*{css_class}.*?<tbody.*?>(.*?)</tbody>', html, re.S)
    assert table is not None
    rows = re.findall(r"<tr.*?>(.*?)</tr>", table[1], re.S)
    return [[_text(cell) for cell in re.findall(r"<t[hd].*?>(.*?)</t[hd]>", row, re.S)] for row in rows]


def _text(html: str) -> str:
    spoken = re.sub(r'<span aria-hidden="true">.*?</span>', "", html, flags=re.S)
    return " ".join(re.sub("<[^>]+>", "", spoken).split(" ")).strip()
