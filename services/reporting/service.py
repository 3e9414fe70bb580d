"""reporting on the bus: parse by contract, call once, answer."""

from datetime import timedelta
from typing import Any

from services.reporting import (
    certifying,
    operations,
    partner_queries,
    partners,
    queries,
    releases,
    sampling,
    steps,
    versions,
)
from shared.bus.entrypoints import rpc
from shared.bus.home import HomeResource
from shared.contracts.commands import load
from shared.contracts.partners import AcceptEpoch, AdmitPartner, AskMayCarry, ExpelPartner
from shared.contracts.releases import ListReleases, MakeRelease, ReadRelease
from shared.contracts.reports import AskCompleteness, AskReport, CertifyReport
from shared.contracts.samples import DrawSample
from shared.contracts.steps import RehearseProgramme, StepStates
from shared.contracts.workflow import LoadProgramme
from shared.ops.clock import day_of, wire_time


class ReportingService:
    """The lead's: programmes, admissions, figures and completeness."""

    name = "reporting"
    home = HomeResource()

    @rpc
    def ping(self) -> dict[str, Any]:
        return {"service": self.name, "ready": True}

    @rpc
    def load_programme(self, **command: Any) -> dict[str, Any]:
        body = load(LoadProgramme, command)
        programme, pos = versions.load_programme(
            self.home.journal, body["document"], by=body["by"], now=self.home.now()
        )
        return {"pos": self.home.committed(pos), "programme": programme.key, "digest": programme.digest}

    @rpc
    def rehearse_programme(self, **question: Any) -> dict[str, Any]:
        return versions.rehearse(self.home.journal, load(RehearseProgramme, question)["document"])

    @rpc
    def list_programmes(self) -> list[dict[str, Any]]:
        return queries.list_programmes(self.home.engine)

    @rpc
    def step_states(self, **question: Any) -> list[dict[str, Any]]:
        return steps.step_states(self.home.engine, load(StepStates, question)["programme"])

    @rpc
    def admit_partner(self, **command: Any) -> dict[str, Any]:
        body = load(AdmitPartner, command)
        expires = operations.admit_partner(
            self.home.journal,
            body["programme"],
            body["partner"],
            bytes.fromhex(body["token_digest"]),
            valid=timedelta(days=body["valid_days"]),
            by=body["by"],
            now=self.home.now(),
        )
        return {"expires": wire_time(expires)}

    @rpc
    def expel_partner(self, **command: Any) -> dict[str, Any]:
        body = load(ExpelPartner, command)
        common = {"by": body["by"], "now": self.home.now()}
        node, pos = partners.expel_partner(self.home.journal, body["programme"], body["partner"], **common)
        return {"pos": self.home.committed(pos), "node": node, "held": pos is None}

    @rpc
    def accept_epoch(self, **command: Any) -> dict[str, Any]:
        body = load(AcceptEpoch, command)
        streams, pos = partners.accept_epoch(self.home.journal, body["node"], by=body["by"], now=self.home.now())
        return {"pos": self.home.committed(pos), "streams": streams}

    @rpc
    def conflicts(self) -> list[dict[str, Any]]:
        return partner_queries.conflicts(self.home.engine)

    @rpc
    def report(self, **command: Any) -> dict[str, Any]:
        body = load(AskReport, command)
        start, end = (day_of(body[name]) for name in ("from_", "to"))
        figures = queries.report(self.home.engine, body["programme"], start, end, self.home.now())
        return figures | {"proof": certifying.sign(figures["proof"], self.home.keys)}

    @rpc
    def certify(self, **command: Any) -> dict[str, Any]:
        body = load(CertifyReport, command)
        return {"certificate": certifying.certify(body["proof"], body["digest"], self.home.keys)}

    @rpc
    def make_release(self, **command: Any) -> dict[str, Any]:
        body = load(MakeRelease, command)
        what = body["programme"], body["release"], body["language"], bytes.fromhex(body["document"])
        common = {"by": body["by"], "now": self.home.now()}
        digest, pos = releases.make_release(self.home.journal, self.home.keys, *what, **common)
        return {"pos": self.home.committed(pos), "release": body["release"], "digest": digest}

    @rpc
    def list_releases(self, **question: Any) -> list[dict[str, Any]]:
        return releases.list_releases(self.home.engine, load(ListReleases, question)["programme"])

    @rpc
    def read_release(self, **question: Any) -> dict[str, Any]:
        return releases.read_release(self.home.engine, self.home.keys, **load(ReadRelease, question))

    @rpc
    def draw_sample(self, **command: Any) -> dict[str, Any]:
        body = load(DrawSample, command)
        start, end = (day_of(body[name]) for name in ("from_", "to"))
        what = body["programme"], body["indicator"], body["size"], body["seed"], start, end
        return sampling.draw_sample(self.home.journal, *what, by=body["by"], now=self.home.now(), behind=body["behind"])

    @rpc
    def completeness(self, **command: Any) -> dict[str, Any]:
        body = load(AskCompleteness, command)
        return partner_queries.completeness(self.home.engine, body["programme"], self.home.now())

    @rpc
    def may_carry(self, **command: Any) -> dict[str, Any]:
        body = load(AskMayCarry, command)
        return partner_queries.may_carry(self.home.engine, **body, now=self.home.now())
