"""Templates to HTML. Everything is escaped, a missing value is an error, nothing is read from outside this package."""

import hashlib
from base64 import b64encode
from dataclasses import dataclass
from functools import cache
from importlib import resources

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from services.portal.words import LANG_NAMES, LANGS, Lang, words


@dataclass(frozen=True)
class Frame:
    """What stands around a page of the portal; a report by itself has none."""

    home: str
    path: str
    user_name: str | None = None
    form_token: str = ""
    locked: bool = False
    """True while a one-time password must be changed: no links, as they lead nowhere yet."""


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("services.portal"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@cache
def stylesheet() -> str:
    """The one style sheet, of pages and of reports by themselves."""
    return resources.files("services.portal").joinpath("static", "portal.css").read_text(encoding="utf-8")


@cache
def stylesheet_version() -> str:
    """Changes when the style sheet does, so that browsers may keep it."""
    return hashlib.sha256(stylesheet().encode()).hexdigest()[:12]


@cache
def _stylesheet_hash() -> str:
    return b64encode(hashlib.sha256(stylesheet().encode()).digest()).decode()


def render(template: str, lang: Lang, frame: Frame | None, **values: object) -> str:
    """The HTML of a template; without a frame as one self-contained file, its style inside and no script allowed."""
    inline: dict[str, object] = {"style": None, "style_hash": None}
    if frame is None:
        inline = {"style": Markup(stylesheet()), "style_hash": _stylesheet_hash()}
    return (
        _environment()
        .get_template(template)
        .render(
            t=words(lang),
            lang=lang,
            langs=[(code, LANG_NAMES[code]) for code in LANGS],
            frame=frame,
            version=stylesheet_version(),
            **inline,
            **values,
        )
    )
