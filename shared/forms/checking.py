"""Is this a form? How files are checked at all is in `shared.documents`; here is what no schema can say."""

from pathlib import Path
from typing import Any

from shared.contracts.errors import InvalidForm
from shared.documents.checking import Found, Kind, codes, codes_stand_once, items, points_at
from shared.documents.problems import Problem
from shared.documents.reading import Reading
from shared.forms.model import Form, build

SCHEMA_FILE = Path(__file__).resolve().parents[2] / "deploy" / "forms" / "form.schema.json"


def load_file(path: Path) -> Form:
    """The form in a file. Raises `InvalidForm` with the first problem and its line."""
    reading = _check(path)
    if problems := sorted(set(reading.problems)):
        first = problems[0]
        reason = f"{first.path}: {first.reason}" if first.path else first.reason
        raise InvalidForm(file=path.name, count=len(problems), line=first.line, reason=reason)
    return build(reading.data)


def check_file(path: Path) -> list[Problem]:
    """Every problem of a form's file with its line, in the order of the file; empty if it may be used."""
    return sorted(set(_check(path).problems))


def _check(path: Path) -> Reading:
    reading = _KIND.read(path)
    key = reading.data.get("key") if isinstance(reading.data, dict) else None
    if isinstance(key, str) and path.name != f"{key}.yaml":
        reason = "the file must be called KEY.yaml, by what it says itself"
        reading.problems.append(Problem(reading.line(("key",)), "key", reason))
    return reading


def _rules(document: dict[str, Any]) -> Found:
    yield from codes_stand_once(document, "questions")
    yield from codes_stand_once(document, "results")
    for index, question in items(document, "questions"):
        yield from _question(document, index, question)
    earlier: set[str] = set()
    for index, indicator in items(document, "indicators"):
        for place, alternative in enumerate(_list(indicator.get("when"))):
            for at, condition in enumerate(_list(alternative.get("all") if isinstance(alternative, dict) else None)):
                if isinstance(condition, dict):
                    yield from _condition(document, ("indicators", index, "when", place, "all", at), condition, earlier)
        code = indicator.get("code")
        if isinstance(code, str):
            if code in earlier:
                yield ("indicators", index, "code"), f"the code {code} stands in this list twice"
            earlier.add(code)


def _question(document: dict[str, Any], index: int, question: dict[str, Any]) -> Found:
    path = ("questions", index)
    if ("answers" in question) == ("low" in question and "high" in question):
        yield path, "has either answers, or low and high"
    low, high = question.get("low"), question.get("high")
    if isinstance(low, int) and isinstance(high, int) and high <= low:
        yield (*path, "high"), "not above low"
    if question.get("special") and "refused" not in _list(question.get("unanswered")):
        yield (*path, "special"), "a special category may be refused, but unanswered does not say so"
    asked = question.get("only_if")
    if isinstance(asked, dict):
        yield from _answers(document, (*path, "only_if"), asked, {q.get("key") for _, q in _before(document, index)})


def _before(document: dict[str, Any], index: int) -> list[tuple[int, dict[str, Any]]]:
    return [(place, question) for place, question in items(document, "questions") if place < index]


def _condition(document: dict[str, Any], path: tuple[Any, ...], condition: dict[str, Any], earlier: set[str]) -> Found:
    if len({"question", "results", "counted"} & set(condition)) != 1:
        yield path, "is about exactly one of question, results and counted"
    if "question" in condition:
        yield from _answers(document, path, condition, codes(document, "questions"))
    elif {"answers", "low", "high"} & set(condition):
        yield path, "answers, low and high are about a question"
    for place, key in enumerate(_list(condition.get("results"))):
        yield from points_at((*path, "results", place), key, "results", codes(document, "results"))
    for place, code in enumerate(_list(condition.get("counted"))):
        yield from points_at((*path, "counted", place), code, "the indicators before this one", earlier)


def _answers(document: dict[str, Any], path: tuple[Any, ...], said: dict[str, Any], known: set[Any]) -> Found:
    """A question that is there, with answers that it has; or with a range, if its answers are numbers."""
    key = said.get("question")
    yield from points_at((*path, "question"), key, "questions", {word for word in known if isinstance(word, str)})
    asked = next((q for _, q in items(document, "questions") if q.get("key") == key), None)
    if asked is None or key not in known:
        return
    answers = {word for word in _list(asked.get("answers")) if isinstance(word, str)}
    for place, answer in enumerate(_list(said.get("answers"))):
        yield from points_at((*path, "answers", place), answer, f"the answers of {key}", answers)
    if ("low" in said or "high" in said) == bool(answers) or ("answers" in said) != bool(answers):
        yield path, f"{key} has {'answers' if answers else 'numbers'}; say which of them"


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


_KIND = Kind("a form", SCHEMA_FILE, _rules)
