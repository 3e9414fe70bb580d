"""Different people across partners on the report page, as sentences: a range is no figure to put into a table."""

from collections.abc import Mapping
from typing import Any

from services.portal import formats
from services.portal.words import Lang, words


def people_sentences(report: Mapping[str, Any], lang: Lang) -> list[str]:
    """What can be said; nothing where nobody could be known to two partners."""
    people = report.get("people")
    if not people:
        return []
    say = words(lang)
    least, most = (formats.number(end, lang) for end in people["range"])
    once, apart = people["counted_once_by_tag"], people["not_comparable"]
    if once is None:
        return [say("people_not_joined", least=least, most=most)] if least != most else []
    sentences = [say("people_once", n=formats.number(once, lang))]
    if apart:
        sentences.append(say("people_apart", n=formats.number(apart, lang), least=least, most=most))
    return sentences
