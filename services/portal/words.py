"""What people read, in Finnish, Finland-Swedish and English, by the words of the project's glossary.

One table instead of gettext catalogues, in a module for each part of the pages: a few hundred phrases, no plural rules,
and a test that none is blank.
Phrases may hold ``{names}``, which are filled in by `Words`.
"""

from collections.abc import Callable, Mapping
from typing import Literal, get_args

from services.portal.words_certificate import CERTIFICATE_WORDS
from services.portal.words_client import CLIENT_WORDS
from services.portal.words_closing import CLOSING_WORDS
from services.portal.words_coming import COMING_WORDS
from services.portal.words_contacts import CONTACT_WORDS
from services.portal.words_copy import COPY_WORDS
from services.portal.words_duplicates import DUPLICATE_WORDS
from services.portal.words_encounters import ENCOUNTER_WORDS
from services.portal.words_erasing import ERASING_WORDS
from services.portal.words_filled import FILLED_WORDS
from services.portal.words_frame import FRAME_WORDS
from services.portal.words_mistakes import MISTAKE_WORDS
from services.portal.words_outcomes import OUTCOME_WORDS
from services.portal.words_partners import PARTNER_WORDS
from services.portal.words_people import PEOPLE_WORDS
from services.portal.words_plan import PLAN_WORDS
from services.portal.words_programme import PROGRAMME_WORDS
from services.portal.words_recording import RECORDING
from services.portal.words_records import RECORD_WORDS
from services.portal.words_refused import REFUSED_WORDS
from services.portal.words_releases import RELEASE_WORDS
from services.portal.words_report import REPORT_WORDS
from services.portal.words_rights import RIGHTS_WORDS
from services.portal.words_round import ROUND_WORDS
from services.portal.words_sample import SAMPLE_WORDS
from services.portal.words_stepping import STEPPING_WORDS
from services.portal.words_steps import STEP_WORDS
from services.portal.words_tasks import TASK_WORDS
from services.portal.words_workers import WORKER_WORDS

Lang = Literal["fi", "sv", "en"]
LANGS: tuple[Lang, ...] = get_args(Lang)
LANG_NAMES: Mapping[Lang, str] = {"fi": "Suomi", "sv": "Svenska", "en": "English"}

Words = Callable[..., str]

_TABLE: dict[str, tuple[str, str, str]] = {
    **FRAME_WORDS,
    **REPORT_WORDS,
    **DUPLICATE_WORDS,
    **ENCOUNTER_WORDS,
    **RECORDING,
    **CLIENT_WORDS,
    **OUTCOME_WORDS,
    **CERTIFICATE_WORDS,
    **COPY_WORDS,
    **REFUSED_WORDS,
    **RIGHTS_WORDS,
    **ERASING_WORDS,
    **PEOPLE_WORDS,
    **PARTNER_WORDS,
    **PROGRAMME_WORDS,
    **RECORD_WORDS,
    **ROUND_WORDS,
    **STEPPING_WORDS,
    **STEP_WORDS,
    **PLAN_WORDS,
    **CLOSING_WORDS,
    **SAMPLE_WORDS,
    **FILLED_WORDS,
    **TASK_WORDS,
    **WORKER_WORDS,
    **COMING_WORDS,
    **CONTACT_WORDS,
    **RELEASE_WORDS,
    **MISTAKE_WORDS,
}


def words(lang: Lang) -> Words:
    """A function that gives the phrase of a key in `lang`; an unknown key is a KeyError."""
    place = LANGS.index(lang)

    def say(key: str, /, **values: object) -> str:
        return _TABLE[key][place].format_map(values)

    return say


def known_keys() -> frozenset[str]:
    """Every key of the table."""
    return frozenset(_TABLE)


def pick_lang(wanted: object) -> Lang | None:
    """The language if it is one of ours."""
    return next((lang for lang in LANGS if lang == wanted), None)


def in_language(names: Mapping[str, str], lang: Lang, fallback: str) -> tuple[str, str | None]:
    """A name of the programme file, never blank: in `lang`, else fi, sv, en, any other; else `fallback`.

    Returns the text and the language it is in, None for the fallback (a code has no language).
    """
    for code in (lang, *LANGS, *sorted(names)):
        text = names.get(code, "")
        if text.strip():
            return text, code
    return fallback, None
