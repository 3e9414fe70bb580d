"""At the lead: rows behind a figure are drawn for a controller, as a file for the partners. It names nobody."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import Flask, g, request
from flask.typing import ResponseReturnValue

from services.portal import talks
from services.portal.labels import label_of
from services.portal.names import ProgrammeNames
from services.portal.pages import Pages
from services.portal.words import in_language, words
from shared.contracts.errors import InvalidInput, UnknownCode
from shared.contracts.samples import MOST_ROWS, behind
from shared.forms import find_form

ROLES = ("reporter",)
STARTED = "participants_started"
_SEED = re.compile("(?:[0-9a-f]{2}){1,32}")


@dataclass
class DrawPages:
    """The views; `install` adds them to a lead's portal."""

    pages: Pages

    def install(self, app: Flask) -> None:
        """Add the routes."""
        rule = "/sample/<programme:key>"
        self.pages.add(app, rule, "sample", self.ask, ROLES)
        self.pages.add(app, rule, "draw_sample", self.draw, ROLES, "POST")

    def ask(self, key: str) -> ResponseReturnValue:
        return self._page(self.pages.programme(key), {"size": "10"})

    def draw(self, key: str) -> ResponseReturnValue:
        names = self.pages.programme(key)
        filled = {name: request.form.get(name, "").strip() for name in ("indicator", "size", "seed", "from", "to")}
        size, problems = talks.number_from(filled["size"], MOST_ROWS), dict[str, str]()
        if filled["indicator"] not in dict(offered(names)):
            problems["indicator"] = "problem_choose"
        if size is None:
            problems["size"] = "problem_sample_size"
        if filled["seed"] and not _SEED.fullmatch(filled["seed"]):
            problems["seed"] = "problem_sample_seed"
        problems |= {end: "problem_day" for end in ("from", "to") if filled[end] and not talks.day_from(filled[end])}
        if problems:
            return self._page(names, filled, problems), 400
        given: dict[str, Any] = {"programme": key, "size": size, **behind(filled["indicator"].lower())}
        given |= {"seed": filled["seed"] or None, "from_": filled["from"] or None, "to": filled["to"] or None}
        try:
            drawn = self.pages.context.rpc.call("reporting", "draw_sample", by=g.session.user.name, **given)
        except (InvalidInput, UnknownCode):
            return self._page(names, filled, {"": "problem_sample_days"}), 400
        name = f"{key}-{drawn['indicator'].replace(':', '-')}-{drawn['seed']}.json"
        text = json.dumps(drawn, indent=1, ensure_ascii=False) + "\n"
        kept = {"Content-Disposition": f'attachment; filename="{name}"', "Content-Type": "application/json"}
        return text, 200, kept

    def _page(self, names: ProgrammeNames, filled: dict[str, str], problems: dict[str, str] | None = None) -> str:
        say, figures = words(g.lang), offered(names)
        return self.pages.show(
            "sample_draw.html",
            title=label_of(names.name, g.lang, names.key),
            programme=names.key,
            figures=figures,
            steps=any(code.startswith("step:") for code, _ in figures),
            filled={"indicator": STARTED, "size": "", "seed": "", "from": "", "to": ""} | filled,
            most=MOST_ROWS,
            problems={name: say(problem) for name, problem in (problems or {}).items()},
        )


def offered(names: ProgrammeNames) -> list[tuple[str, str]]:
    """The figures of the report that have rows: indicators, but where people tell the fund themselves only who started;
    outcomes, steps that people enter, encounters."""
    say, document = words(g.lang), names.document
    found = [(STARTED, say("sample_started"))]
    if document.get("esf_record", "here") == "here":
        indicators = find_form(names.funding).indicators
        found += [(one.key, f"{one.key} {in_language(one.name, g.lang, '')[0]}") for one in indicators]
    steps = [one for one in document.get("steps") or () if one["level"] == "individual"]
    for word, items in (("outcome", document.get("outcomes") or ()), ("step", steps)):
        found += [(f"{word}:{one['key']}", f"{say(f'sample_{word}')}: {_name(one)}") for one in items]
    return [*found, ("encounters", say("encounters"))]


def _name(item: Mapping[str, Any]) -> str:
    return label_of(item["name"], g.lang, item["key"]).text
