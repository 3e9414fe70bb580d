"""intake on the bus, of who works with whom: a part of the service."""

from typing import Any

from services.intake import domain, worker_store, workers
from shared.bus.entrypoints import rpc
from shared.bus.home import ServiceHome
from shared.contracts.commands import load
from shared.contracts.workers import AssignWorkers, HandOver, ListWorkers, SeesPeople
from shared.ops.clock import day_of
from shared.storage import snapshot


class WorkerMethods:
    """Put before intake's service class."""

    home: ServiceHome

    @rpc
    def assign_workers(self, **command: Any) -> dict[str, Any]:
        body = load(AssignWorkers, command)
        was = {item["key"]: item.pop("was") for item in body["items"] if "was" in item}
        new = [workers.NewWorker(**item) for item in body["items"]]
        return self.home.record(body, workers.assign_workers, new, was=was)

    @rpc
    def hand_over(self, **command: Any) -> dict[str, Any]:
        body = load(HandOver, command)
        self.home.follow_to(body["after"])
        names = ("worker", "to", "reason", "programme", "people", "back")
        wanted = domain.HandOver(**{name: body[name] for name in names})
        day = day_of(body["date"])
        common = {"by": body["by"], "now": self.home.now(), "dry_run": body["dry_run"]}
        counts, pos = workers.hand_over(self.home.journal, wanted, day, **common)
        programmes = [{"programme": programme, "people": n} for programme, n in counts.items()]
        return {"pos": self.home.committed(pos), "total": sum(counts.values()), "programmes": programmes}

    @rpc
    def list_workers(self, **question: Any) -> list[dict[str, Any]]:
        load(ListWorkers, question)
        with snapshot(self.home.engine) as connection:
            return worker_store.list_workers(connection)

    @rpc
    def sees(self, **question: Any) -> list[str]:
        body = load(SeesPeople, question)
        with snapshot(self.home.engine) as connection:
            return sorted(worker_store.visible_to(connection, body["programme"], body["people"], body["worker"]))
