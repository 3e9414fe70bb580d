"""`polku up`: the services of a home in one process, with its portal, control socket, health and child.

This module is imported only by a process that is monkey-patched already (see `__main__`).
"""

import logging
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any

import eventlet
import eventlet.hubs
import eventlet.tpool
import eventlet.wsgi
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from services.activities.service import ActivitiesService
from services.intake.service import IntakeService
from services.measurement.service import MeasurementService
from services.node import mailing
from services.node.certificate import Certificate
from services.node.children import Child
from services.node.control import ControlServer, Rpc
from services.node.measuring import EVERY_SECONDS, child_restarts_total, measure_home
from services.node.opening import listening, locked, open_database
from services.node.portal import portal_app, refuse_clear_text
from services.node.terms import expelled
from services.pathways.service import PathwaysService
from services.reporting.partner_queries import admitted_nodes
from services.reporting.service import ReportingService
from shared.bus.client import RpcClient
from shared.bus.home import HOME_CONFIG, HomeContext
from shared.bus.runner import Runner, stop_on_signals
from shared.bus.wakeups import WakeupPublisher
from shared.contracts.errors import InvalidInput, PolkuError
from shared.journal.carrier import channel_to
from shared.journal.holding import held_streams
from shared.ops.clock import utcnow
from shared.ops.health import Check, HealthServer
from shared.ops.logging import setup_logging
from shared.ops.settings import Home, Role, load_home

log = logging.getLogger(__name__)

SERVICES: dict[Role, dict[str, type]] = {
    "lead": {"reporting": ReportingService},
    "node": {
        "intake": IntakeService,
        "activities": ActivitiesService,
        "pathways": PathwaysService,
        "measurement": MeasurementService,
    },
}
CHILDREN: dict[Role, str] = {"lead": "receiver", "node": "courier"}
PORTAL = "portal"
RESTART_SECONDS = 1.0


def run_up(
    home: Home, names: Sequence[str], health_port: int | None = None, *, child: bool = False, private: bool = False
) -> None:
    """Run the whole home, or the named services, until told to stop; `private`: only for the command line, no port."""
    known = SERVICES[home.role]
    if unknown := sorted(set(names) - set(known) - {PORTAL}):
        raise InvalidInput(field="SERVICE", reason=f"a {home.role} home has no service {unknown[0]}")
    if names and home.embedded:
        raise InvalidInput(field="SERVICE", reason="the embedded bus lives in one process: run all of the home")
    if not private and (not names or PORTAL in names):
        refuse_clear_text(home, own_tls=True)
    # A home that is opened for one command says nothing but what goes wrong: the command speaks.
    setup_logging("-".join(names) or home.role, logging.WARNING if private else logging.INFO)
    if home.embedded:
        with locked(home):
            _run(home, [], health_port or home.health_port, child=child, private=private)
    else:
        _run(home, names, health_port or home.health_port, child=child, private=private)


def _run(home: Home, names: Sequence[str], health_port: int, *, child: bool, private: bool) -> None:
    engine = open_database(home)
    bus, rpc = WakeupPublisher(home.bus_url), RpcClient(home.bus_url)
    carrier = None if names or private else Child(home.path, CHILDREN[home.role], heard=True)

    def wake(pos: int) -> None:
        bus.publish_wakeup(pos)
        if carrier is not None:
            carrier.wake()

    context = HomeContext(home, engine, wake)
    chosen = [service for name, service in SERVICES[home.role].items() if not names or name in names]
    runner = Runner(chosen, home.bus_url, config={HOME_CONFIG: context})
    stop_on_signals(runner)
    runner.start()
    if child:
        _stop_at_end_of_input(runner)
    if not private:
        checks = _checks(engine, rpc, chosen, context, carrier)
        with listening(health_port):
            HealthServer(home.health_host, health_port, checks).start()
    if not private and (not names or PORTAL in names):
        if (look := mailing.notices(home, engine, rpc)) is not None:
            eventlet.spawn(_tell, look)
        _serve_portal(home, engine, rpc, carrier.wake if carrier is not None else lambda: None)
    if not names:
        ControlServer(home.socket, rpc).start()
    if carrier is not None:
        eventlet.spawn(_keep_running, carrier)
        eventlet.spawn(_hear, carrier, bus)
    if not private:
        eventlet.spawn(_measure, engine, [name for name in SERVICES[home.role] if not names or name in names])
    log.info("the home is up", extra={"home": home.name, "port": home.port})
    try:
        runner.wait()
    finally:
        if not names:
            home.socket.unlink(missing_ok=True)
        if carrier is not None:
            carrier.end()
        rpc.close()
        bus.close()
        engine.dispose()


def _keep_running(carrier: Child) -> None:
    """Start the child again when it has ended: what it had not finished it finds again."""
    while True:
        eventlet.sleep(RESTART_SECONDS)
        if (code := carrier.ended()) is not None:
            log.error("the child has ended and is started again", extra={"code": code})
            carrier.start()
            child_restarts_total.inc()


def _hear(carrier: Child, bus: WakeupPublisher) -> None:
    """Have the services look when the child says so: a lead has sent something. No line of ours is new, hence 0."""
    while True:
        try:
            while eventlet.green.os.read(carrier.output, 1024):
                bus.publish_wakeup(0)
        except OSError as error:
            log.warning("the child cannot be heard", exc_info=error)
        eventlet.sleep(RESTART_SECONDS)  # it has ended, and is started again


def _measure(engine: Engine, services: Sequence[str]) -> None:
    while True:
        try:
            measure_home(engine, services)
        except DBAPIError as error:  # it is down or busy: the next look says more
            log.warning("the home could not be measured", exc_info=error)
        eventlet.sleep(EVERY_SECONDS)


def _tell(look: Callable[[], int]) -> None:
    while True:
        look()
        eventlet.sleep(mailing.EVERY_SECONDS)


def _serve_portal(home: Home, engine: Engine, rpc: Rpc, wake: Callable[[], None]) -> None:
    certificate = Certificate(home) if home.certificate else None
    with listening(home.port):
        listener = eventlet.listen((home.host, home.port))
    if certificate is not None:
        listener = certificate.context.wrap_socket(listener, server_side=True)
        eventlet.spawn(_renew, certificate)
    app = portal_app(home, engine, rpc, blocking=eventlet.tpool.execute, wake=wake)
    eventlet.spawn(eventlet.wsgi.server, listener, app, log_output=False, debug=False, socket_timeout=30)


def _renew(certificate: Certificate) -> None:
    while True:
        eventlet.sleep(EVERY_SECONDS)
        certificate.look()


def _checks(
    engine: Engine, rpc: Rpc, chosen: Sequence[Any], context: HomeContext, carrier: Child | None
) -> dict[str, Check]:
    def database() -> str | None:
        with engine.connect() as connection:
            connection.execute(text("SELECT 1"))
        return None

    def answers(name: str) -> Check:
        def check() -> str | None:
            try:
                rpc.call(name, "ping", timeout=2)
            except PolkuError as error:
                return error.code
            return None

        return check

    def journal() -> str | None:
        stuck = [f"{name} at {f.stuck_at}" for name, f in context.followers.items() if f.stuck_at is not None]
        return f"cannot go on: {', '.join(stuck)}" if stuck else None

    def child() -> str | None:
        return "has ended" if carrier is not None and carrier.ended() is not None else None

    def hold() -> str | None:
        home = context.home
        streams = [f"{home.name}/{p.programme}" for p in load_home(home.path).joined if not p.gone_at]
        if home.role == "lead":
            streams = [channel_to(node.node, node.programme) for node in admitted_nodes(engine, utcnow())]
        reasons = held_streams(engine, streams)
        return "; ".join(f"held after a restore: {stream}: {why}" for stream, why in reasons.items()) or None

    checks: dict[str, Check] = {"database": database, "journal": journal, "child": child, "hold": hold}
    checks["membership"] = lambda: expelled(context.home)
    return checks | {service.name: answers(service.name) for service in chosen}


def _stop_at_end_of_input(runner: Runner) -> None:
    def watch() -> None:
        while eventlet.green.os.read(sys.stdin.fileno(), 1024):
            pass
        runner.stop()

    os.set_blocking(sys.stdin.fileno(), False)
    eventlet.spawn(watch)
