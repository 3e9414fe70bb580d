"""Whether a command was refused as it must be: by a named error, nothing written, nothing said of what was given."""

import re
from dataclasses import dataclass
from typing import Any

from shared.contracts.errors import PolkuError
from tests.badinput.mutations import SECRET
from tests.badinput.world import World

FAILURES = {"internal_error", "rpc_timeout", "service_absent", "unknown_method", "remote_error"}
"""What is no answer to bad input."""
_SECRET_PARTS = re.compile("|".join(re.escape(part) for part in (SECRET, "Meik", "020190")), re.IGNORECASE)
ALSO = {
    "subject": {"participant", "person"},
    "entered_on": {"from"},
    "left_on": {"to"},
    "paused_on": {"from"},
    "resumed_on": {"to"},
    "key": {"ref"},
    "answers": {"item"},
    "version": {"instrument"},
}
"""What a member is called in an error where that is another word: mostly that of the CSV column."""


@dataclass(frozen=True)
class Answer:
    """What a command answered: an error (None: it was taken), and the position of the item it is about."""

    error: PolkuError | None
    item: int | None = None

    @property
    def field(self) -> str:
        """The member that the error names."""
        return str(self.error.params.get("field", "")) if self.error else ""


def ask(world: World, service: str, method: str, body: dict[str, Any]) -> Answer:
    """Call it; of several results the first error counts."""
    try:
        answer = world.call(service, method, **body)
    except PolkuError as error:
        return Answer(error)
    for number, result in enumerate(answer.get("results") or () if isinstance(answer, dict) else ()):
        if isinstance(result, dict) and "error" in result:
            return Answer(PolkuError.from_wire(result["error"]), number)
    return Answer(None)


def problem(answer: Answer, wanted: str = "", *, exactly: bool = True, given: str = "") -> str:
    """What is wrong with a refusal of bad input at the member `wanted` ("": any); empty if nothing is.

    `exactly`: the whole path is named, else its last member, by its name or what else it is called (`ALSO`), or by the
    code that was `given`.
    """
    error = answer.error
    if error is None:
        return "taken"
    if error.code in FAILURES:
        return f"no refusal but a failure: {error}"
    if _SECRET_PARTS.search(f"{error} {error.to_wire()}"):
        return f"the error repeats what was given: {error}"
    if not str(error).strip():
        return "says nothing"
    if exactly and wanted and not (answer.field == wanted or answer.field.startswith(f"{wanted}.")):
        return f"names {answer.field or 'no member'}: {error}"
    last = [part for part in wanted.split(".") if not part.isdigit()][-1:]
    if not exactly and last:
        said = set(answer.field.split("."))
        in_words = (given and given in str(error)) or ("field" not in error.params and last[0] in str(error))
        if not in_words and not said & ({*last} | ALSO.get(last[0], set())):
            return f"names {answer.field or 'no member'}: {error}"
    return ""


def written(world: World, before: dict[str, list[Any]]) -> list[str]:
    """The tables in which something was written since; how far a service has heard the journal is no matter of it."""
    now = world.content()
    return sorted(name for name in now if now[name] != before.get(name) and not name.endswith("_cursor"))


def leaked(world: World) -> str:
    """A log record that holds what was given; empty if there is none."""
    return next((line for line in world.logged if _SECRET_PARTS.search(line)), "")
