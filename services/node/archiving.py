"""`polku programme archive`: what stays of a programme, as one folder; the node's with its people apart, the lead's
without any.

The folder is made beside its place and takes its name as the last step, so one that is there is whole.
"""

import json
import shutil
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from services.intake.domain import is_protected
from services.node.actor import actor
from services.node.archivewords import readme
from services.node.control import Rpc
from services.node.csvarchive import CsvArchive, write_csv
from services.node.opening import open_database
from services.node.reaching import services_of
from services.node.reports import certified
from services.portal.closing_work import pages
from services.portal.copying import SECONDS
from services.portal.replies import ReplyKey
from services.portal.report_file import release_file
from services.portal.words import LANGS
from shared.contracts.catalogue import FACTS, ProgrammeLoaded, ProgrammeVersion, SubjectErased
from shared.contracts.errors import InvalidInput, UnknownProgramme
from shared.contracts.facts import Fact
from shared.contracts.purpose_facts import PersonInformed, PurposeEnded
from shared.forms import files as forms
from shared.instruments import files as instruments
from shared.journal.archive import PERSONAL, STREAM, write_manifest
from shared.journal.certificate import PLACES
from shared.journal.crypto import load_keys
from shared.journal.directory import lead_stream, members
from shared.journal.fingerprint import fingerprint
from shared.journal.lines import chain_next, chain_start, parse
from shared.journal.planning import receipt_of
from shared.journal.reading import chained_rows, lines_of_kind, received_lines, rows_of
from shared.ops.clock import day_of, iso_day, utcnow, wire_time
from shared.ops.settings import Home
from shared.programmes import Programme
from shared.programmes import parse as parse_programme
from shared.storage import snapshot

_FORM = ("form_version", "form_language", "form_signed_on", "form_help", "form_kept", "eura_on", "eura_by")
_EVIDENCE = (
    *("ref", "subject", "standing", "started_on", "ended_on"),
    *_FORM,
    *(f"exit_{name}" for name in _FORM),
    *("attempts", "missing"),
)
_NAMES = ("token", "identity_code", "given_name", "family_name", "birth_date")


def archive(home: Home, programme: str, out: Path) -> dict[str, Any]:
    """Make the archive of the home's role in `out`, which must not be there; its manifest's head.

    Raises `UnknownProgramme` and `InvalidInput`.
    """
    if out.exists():
        raise InvalidInput(field="--out", reason="is there already")
    part = out.with_name(f".{out.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True, mode=0o700)
    try:
        with services_of(home) as rpc:
            service = "reporting" if home.role == "lead" else "pathways"
            listed = {item["programme"]: item["document"] for item in rpc.call(service, "list_programmes")}
            if programme not in listed:
                raise UnknownProgramme(programme=programme)
            made = _Made(home, rpc, parse_programme(listed[programme]), part)
            said = made.lead() if home.role == "lead" else made.node()
        for lang in LANGS:
            (part / f"README.{lang}.txt").write_text(readme(home.role, lang, said), encoding="utf-8")
        write_manifest(part, said, load_keys(home.keys).newest("signing"))
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)  # it may hold people already
        raise
    part.rename(out)
    return said


@dataclass
class _Made:
    """An archive that is being made in `folder`."""

    home: Home
    rpc: Rpc
    definition: Programme
    folder: Path

    @property
    def key(self) -> str:
        """The programme's."""
        return self.definition.key

    def lead(self) -> dict[str, Any]:
        """Reports, as they are now and as they were released, partners, versions."""
        with snapshot(open_database(self.home)) as connection:
            self._versions(connection, lead_stream(self.key), ProgrammeVersion)
            known = {member.node: member for member in members(connection, self.key)}
        spans: dict[str, tuple[str | None, str | None]] = {"all-days": (None, None)}
        for key, period in self.definition.period_by_key.items():
            spans[key] = (period.start.isoformat(), period.end.isoformat())
        self._dir("reports")
        for name, (start, end) in spans.items():
            for form in PLACES:
                data = certified(self.home, self.rpc, self.key, form, "fi", start, end)
                (self.folder / "reports" / f"{name}.{form}").write_bytes(data)
        released = self.rpc.call("reporting", "list_releases", programme=self.key)
        self._json("releases.json", released)
        for number in (row["release"] for row in released if row["kept"]):
            document = release_file(self.rpc, "json", self.key, number, "fi")
            (self.folder / "reports" / f"release-{number}.json").write_bytes(document)
        report = self.rpc.call("reporting", "report", programme=self.key, from_=None, to=None)
        rows = [self._partner(row, known) for row in report["streams"]]
        write_csv(self.folder / "partners.csv", list(rows[0]) if rows else [], [list(row.values()) for row in rows])
        self._json("partners.json", rows)
        return self._said("päätoteuttaja / huvudgenomförare / lead", partner=self.definition.lead.key)

    def _partner(self, row: Mapping[str, Any], known: Mapping[str, Any]) -> dict[str, Any]:
        member = known.get(row["node"] or "")
        words = fingerprint(member.signing_keys[-1]) if member else None
        ended = "closed" if row["closed"] else "expelled" if row["expelled"] else None
        state = ended or ("joined" if row["node"] else "not_joined")
        told = {name: row[name] for name in ("partner", "node", "epoch", "watermark", "head", "chain", "manifest_at")}
        days = {"joined": member.joined if member else None, "expelled": row["expelled"], "closed": row["closed"]}
        return {**told, "state": state, "key": words, **days}

    def node(self) -> dict[str, Any]:
        """Documents, CSV, evidence; people apart."""
        state = self.rpc.call("pathways", "closing_state", programme=self.key)
        own = {place.programme: place.partner for place in self.home.joined}.get(self.key)
        partner, stream = own or self.definition.lead.key, f"{self.home.name}/{self.key}"
        self._dir(PERSONAL)
        with snapshot(open_database(self.home)) as connection:
            self._versions(connection, f"{self.home.name}/local", ProgrammeLoaded)
            rows = CsvArchive(self.definition, partner)
            for fact in self._facts(connection, stream):
                rows.take(fact)
            lines, chain = self._stream(connection, stream)
            lacking = max(0, self._of_lead(connection, stream) - lines)
        self._files()
        people, limits = self._people(rows)
        self._sets(rows, people, limits)
        until = self._personal(rows.people, people)
        self._closing(state)
        more = {"stream": stream, "lines": lines, "lacking": lacking, "chain": chain, "state": state["state"]}
        more["personal_until"] = until
        days = {name: state[name] for name in ("closed_on", "final_on", "sealed_on")}
        return self._said(partner, partner=partner, **more, **days)

    def _said(self, who: str, **more: Any) -> dict[str, Any]:
        """The head of the manifest."""
        kept = [
            {
                "who": who,
                "purpose": purpose.key,
                "keep_until": iso_day(purpose.keep_until),
                "keep_months": purpose.keep_months,
                "law": purpose.law or None,
            }
            for purpose in self.definition.purposes
        ]
        common = {"archive": 1, "role": self.home.role, "home": self.home.name, "programme": self.key}
        return {**common, "made_at": wire_time(utcnow()), **more, "kept": kept}

    def _dir(self, name: str) -> Path:
        place = self.folder / name
        place.mkdir(exist_ok=True)
        return place

    def _json(self, name: str, said: Any) -> None:
        text = json.dumps(said, indent=1, ensure_ascii=False)
        (self.folder / name).write_text(text + "\n", encoding="utf-8")

    def _versions(self, connection: Connection, stream: str, kind: type[Fact]) -> None:
        """Every version of the programme file, in the order in which they came."""
        texts: dict[str, dict[int, str]] = {}
        for body in (line.body for line in lines_of_kind(connection, kind.kind, stream)):
            if body["programme"] == self.key:
                texts.setdefault(body["digest"], {})[body["part"]] = body["text"]
        place = self._dir("documents")
        for number, (digest, parts) in enumerate(texts.items(), 1):
            whole = "".join(parts[part] for part in sorted(parts)) + "\n"
            (place / f"programme-{number}-{digest[:12]}.json").write_text(whole, encoding="utf-8")

    def _files(self) -> None:
        place, used = self._dir("documents"), [forms.DIRECTORY / f"{self.definition.funding_programme}.yaml"]
        used += [instruments.DIRECTORY / f"{use.key}.{use.version}.yaml" for use in self.definition.instruments]
        for file in used:
            shutil.copyfile(file, place / file.name)

    def _facts(self, connection: Connection, stream: str) -> Iterator[Fact]:
        """What the node recorded for the programme, in its order; erased lines say nothing any more."""
        for row in rows_of(connection, (stream, f"{self.home.name}/local")):
            line = parse(row.line)
            known = FACTS.get((line.kind, line.v))
            if known is not None and (row.stream == stream or line.body.get("programme") == self.key):
                yield known.read(line.subject, line.body)

    def _stream(self, connection: Connection, stream: str) -> tuple[int, str]:
        """The lines as they were signed; how many, and the chain over them. One that says who was erased is a digest
        here already: an archive stays longer than the line.
        """
        count, chain = 0, chain_start(stream)
        with (self.folder / STREAM).open("wb") as file:
            for row in chained_rows(connection, stream):
                whole = row.line if row.kind != SubjectErased.kind else None
                file.write((whole or b"#" + row.digest.hex().encode()) + b"\n")
                count, chain = count + 1, chain_next(chain, row.digest)
        return count, chain.hex()

    def _of_lead(self, connection: Connection, stream: str) -> int:
        """What the lead has sent; how many lines of the stream it says that it has: more than we, after a restore."""
        place = self._dir("lead")
        receipt = receipt_of(connection, stream)
        told = ("stream", "epoch", "seq", "chain", "incarnation", "time", "conflict")
        said = {name: getattr(receipt, name) for name in told} if receipt else None
        self._json("lead/receipt.json", said and said | {"chain": said["chain"].hex()})
        lines = received_lines(connection, lead_stream(self.key))
        (place / "stream.txt").write_bytes(b"".join(line + b"\n" for line in lines))
        return int(said["seq"]) if said else 0

    def _people(self, rows: CsvArchive) -> tuple[dict[str, dict[str, Any]], dict[str, dict[str, Any]]]:
        """What intake has of each person of the programme, by subject; that it was read is in the audit log. Who has a
        protected address is named in no list, and so not here: the row is there with the token. Beside it the
        restrictions (GDPR, article 18), by subject."""
        found: dict[str, dict[str, Any]] = {}
        limits: dict[str, dict[str, Any]] = {}
        reply = ReplyKey()
        common = {"by": actor(), "reply_to": reply.public_hex}
        for row in pages(self.rpc, "intake", "list_people", "people", self.key, **common):
            asked = {"programme": self.key, "subject": row["person"], **common}
            answer = self.rpc.call("intake", "copy_person", timeout=SECONDS, **asked)
            opened = reply.open_plain(answer["sealed"])
            kept = opened["intake"]
            form = kept.get("exit_form") if kept["participation"].get("ended_on") else None  # else of an exit before
            known = kept["participation"] | kept["identity"] | _exit_form(form or [])
            told = _still_agreed(kept.get("informed") or [], withdrawn(opened["history"]))
            known |= {"informed": told, "attempt": kept.get("attempt") or []}
            if is_protected(kept["participation"]):
                known |= dict.fromkeys(name for name in _NAMES if name != "token")
            found[row["person"]] = known
            if limit := kept.get("restriction"):
                limits[row["person"]] = limit
        found = dict(sorted(found.items(), key=lambda one: (one[1].get("started_on") or "", one[0])))
        rows.people.update({subject: f"p{number}" for number, subject in enumerate(found, 1)})
        return found, limits

    def _sets(
        self, rows: CsvArchive, people: Mapping[str, Mapping[str, Any]], limits: Mapping[str, Mapping[str, Any]]
    ) -> None:
        """The set that is read back; people whose processing is restricted in one apart, with the grounds: a list
        cannot restrict anybody, and their rows shall not be read back as if nothing were."""
        for name, limited in (("csv", False), ("restricted", True)):
            some = {subject: said for subject, said in people.items() if (subject in limits) == limited}
            if some or not limited:
                refs = {subject: rows.people[subject] for subject in some}
                replace(rows, people=refs).write(self._dir(f"{PERSONAL}/{name}"), some)
        if limits:
            told = ([rows.people[subject], one["ground"], one["since"]] for subject, one in limits.items())
            write_csv(self.folder / PERSONAL / "restricted.csv", ("ref", "ground", "since"), told)

    def _personal(self, refs: Mapping[str, str], people: Mapping[str, Mapping[str, Any]]) -> str | None:
        """The evidence list, what was left open, and until when each is kept; the last of those days, None: one is not
        said."""
        place, end = self.folder / PERSONAL, self.definition.period.end
        listed = pages(self.rpc, "intake", "list_missing_evidence", "people", self.key)
        missing = {row["person"]: row["missing"] for row in listed}
        rows = [
            {**said, "ref": refs[subject], "subject": subject, "missing": missing.get(subject, [])}
            | {"attempts": _attempts(said["attempt"])}
            for subject, said in people.items()
        ]
        write_csv(place / "evidence.csv", _EVIDENCE, ([row.get(name) for name in _EVIDENCE] for row in rows))
        left = [row for row in self._left() if row["item"] in refs]
        said_why = ([refs[row["item"]], row["what"], row["reason"], row["on"]] for row in left)
        write_csv(place / "left.csv", ("ref", "what", "reason", "on"), said_why)
        kept: list[tuple[str, str, date | None]] = []
        for subject, said in people.items():
            ended = day_of(said.get("ended_on"))
            kept += [(refs[subject], one.key, one.due_on(ended, end)) for one in self.definition.purposes]
        days = [[ref, purpose, _day_before(day)] for ref, purpose, day in kept]
        write_csv(place / "kept.csv", ("ref", "purpose", "kept_until"), days)
        return max((str(day[2]) for day in days), default=None) if all(day[2] for day in days) else None

    def _left(self) -> Iterable[dict[str, Any]]:
        return pages(self.rpc, "pathways", "list_left", "items", self.key)

    def _closing(self, state: Mapping[str, Any]) -> None:
        place = self._dir("evidence")
        columns = ("period", "end", "confirmed_on", "left")
        write_csv(place / "periods.csv", columns, ([one[name] for name in columns] for one in state["periods"]))
        counts: dict[tuple[str, str], int] = {}
        for row in self._left():
            counts[row["what"], row["reason"]] = counts.get((row["what"], row["reason"]), 0) + 1
        write_csv(place / "left.csv", ("what", "reason", "number"), ([*key, n] for key, n in sorted(counts.items())))


def withdrawn(history: Iterable[Mapping[str, Any]]) -> set[str]:
    """Purposes of which the last word in a person's lines is a consent withdrawn. By lines and not by days: a paper of
    before may be written down afterwards, as the journal takes it (`shared.journal.unit`)."""
    found: set[str] = set()
    for line in history:
        if line["kind"] == PersonInformed.kind:
            found -= {*(line["body"].get("consents") or ())}
        elif line["kind"] == PurposeEnded.kind and line["body"]["why"] == "withdrawn":
            found.add(line["body"]["purpose"])
    return found


def _still_agreed(informed: list[dict[str, Any]], gone: Collection[str]) -> list[dict[str, Any]]:
    """Times that somebody was informed, without consents that no longer hold: who reads them back gives none anew."""
    return [
        one | {"consents": " ".join(purpose for purpose in one["consents"].split() if purpose not in gone)}
        for one in informed
    ]


def _exit_form(forms_of: list[dict[str, Any]]) -> dict[str, Any]:
    """The members of the copy's row, in which the table's columns stand beside what was in the vault."""
    form = forms_of[0] if forms_of else {}
    return {f"exit_{name}": form.get(name, form.get(name.removeprefix("form_"))) for name in ("may_call", *_FORM)}


def _attempts(tries: list[dict[str, Any]]) -> list[str]:
    """Tries to get a form that were in vain, the oldest first: day, which form, what came of it."""
    return sorted(" ".join(one[name] for name in ("occurred_on", "record", "status")) for one in tries)


def _day_before(day: date | None) -> str | None:
    return (day - timedelta(days=1)).isoformat() if day else None
