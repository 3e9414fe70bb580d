"""Who the lead is: its certificate must be of the right authority and for the right host, and may be renewed."""

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import pytest

from services.node.certificate import Certificate
from services.node.opening import open_database
from services.node.portal import portal_app
from services.portal.context import directly
from shared.journal.amqpcarrier import AmqpCarrier
from shared.journal.brokerlink import Broker as Address
from shared.journal.brokerlink import BrokerFailed
from shared.journal.carrier import MANIFEST
from shared.journal.httpcarrier import HttpCarrier, HttpFailed
from shared.ops.settings import Home
from shared.testing.authority import Authority
from shared.testing.broker import Broker
from shared.testing.private import free_port
from shared.testing.wait import until
from tests.carriers.kit import BOX, NODE_KEY, Directory, as_broker
from tests.journal.exchange_kit import STREAM
from tests.services.node.made import new_home


class _Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:
        pass


class _Server(WSGIServer):
    def handle_error(self, request: object, client_address: object) -> None:
        pass


@contextmanager
def tls_lead(folder: Path, certificate: Path) -> Iterator[tuple[int, Certificate, Home]]:
    """A lead's portal behind its own certificate."""
    made = new_home(folder / "lead", "lead", port=free_port())
    home = Home(made.path, "lead", "lead", made.port, certificate=str(certificate))
    served = Certificate(home)
    app = portal_app(home, open_database(home), Directory(), directly)
    server = make_server("127.0.0.1", home.port, app, _Server, _Quiet)
    server.socket = served.context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield home.port, served, home
    finally:
        server.shutdown()
        thread.join(20)
        server.server_close()


def write(port: int, host: str, authority: Authority | None) -> None:
    HttpCarrier(f"https://{host}:{port}", NODE_KEY, authority.pem if authority else "").write(STREAM, MANIFEST, b"x")


def test_a_node_writes_to_a_lead_with_the_right_certificate(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "ca")
    with tls_lead(tmp_path, authority.issue("localhost")) as (port, _, home):
        write(port, "localhost", authority)
        assert (home.inbox / STREAM / MANIFEST).read_bytes() == b"x"


def test_a_certificate_for_another_host_is_refused(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "ca")
    with tls_lead(tmp_path, authority.issue("lead.example.org")) as (port, _, home):
        with pytest.raises(HttpFailed, match="SSLCertVerificationError"):
            write(port, "localhost", authority)
        assert not (home.inbox / STREAM).exists()


@pytest.mark.parametrize("known", ["another authority", "the system's"])
def test_a_certificate_of_another_authority_is_refused(tmp_path: Path, known: str) -> None:
    authority, other = Authority(tmp_path / "ca"), Authority(tmp_path / "other")
    with tls_lead(tmp_path, authority.issue("localhost")) as (port, _, home):
        with pytest.raises(HttpFailed, match="SSLCertVerificationError"):
            write(port, "localhost", other if known == "another authority" else None)
        assert not (home.inbox / STREAM).exists()


def test_an_expired_certificate_is_refused(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "ca")
    with tls_lead(tmp_path, authority.issue("localhost", days=0)) as (port, _, home):
        with pytest.raises(HttpFailed, match="SSLCertVerificationError"):
            write(port, "localhost", authority)
        assert not (home.inbox / STREAM).exists()


def test_a_renewed_certificate_is_used_without_a_restart(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "ca")
    file = authority.issue("localhost")
    with tls_lead(tmp_path, file) as (port, served, _):

        def serial() -> int:
            ask = ("localhost", port)
            return authority.serial_of(ssl.get_server_certificate(ask, ca_certs=str(authority.file), timeout=20))

        first = serial()
        authority.issue("localhost")
        served.look()
        assert serial() != first
        write(port, "localhost", authority)


def test_a_lead_may_change_to_another_authority_whose_nodes_know_both(tmp_path: Path) -> None:
    old, new = Authority(tmp_path / "old"), Authority(tmp_path / "new")
    file = old.issue("localhost")
    with tls_lead(tmp_path, file) as (port, served, _):

        def written(pem: str) -> None:
            HttpCarrier(f"https://localhost:{port}", NODE_KEY, pem).write(STREAM, MANIFEST, b"x")

        written(old.pem + new.pem)
        file.write_text(new.issue("localhost").read_text())
        served.look()
        written(old.pem + new.pem)
        with pytest.raises(HttpFailed, match="SSLCertVerificationError"):
            written(old.pem)


def test_a_renewed_certificate_of_no_use_leaves_the_old_one(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "ca")
    file = authority.issue("localhost")
    with tls_lead(tmp_path, file) as (port, served, _):
        file.write_text("half a certificate")
        served.look()
        write(port, "localhost", authority)


def test_a_redirect_is_not_followed(tmp_path: Path) -> None:
    from tests.carriers.kit import served

    asked: list[str] = []

    def elsewhere(environ: dict[str, str], start_response: object) -> list[bytes]:
        asked.append(environ["PATH_INFO"])
        start_response("307 Temporary Redirect", [("Location", "/elsewhere"), ("Content-Length", "0")])  # type: ignore[operator]
        return []

    with served(elsewhere) as url:  # type: ignore[arg-type]
        with pytest.raises(HttpFailed, match="307"):
            HttpCarrier(url, NODE_KEY).write(STREAM, MANIFEST, b"x")
    assert asked == [f"/carrier/{STREAM}/{MANIFEST}"]


@contextmanager
def tls_broker(rabbitmq: Broker, certificate: Path) -> Iterator[int]:
    """A TLS listener of the test run's broker with this certificate; its port."""
    port, file = free_port(), str(certificate)
    options = f'[{{certfile, "{file}"}}, {{keyfile, "{file}"}}]'
    rabbitmq.erlang("rabbit_networking:ensure_ssl().")
    rabbitmq.erlang(f"rabbit_networking:start_ssl_listener({port}, {options}, 1).")
    try:
        yield port
    finally:
        rabbitmq.erlang("rabbit_networking:stop_ranch_listener_of_protocol('amqp/ssl').")


def write_by_broker(port: int, host: str, url: str, authority: Authority | None) -> None:
    vhost = url.rsplit("/", 1)[1]
    broker = Address(f"amqps://guest@{host}:{port}/{vhost}", "guest", authority.pem if authority else "")
    carrier = AmqpCarrier(broker, {STREAM: BOX})
    try:
        carrier.write(STREAM, MANIFEST, b"x")
    finally:
        carrier.close()


def test_a_broker_must_have_the_right_certificate_too(rabbitmq: Broker, rabbitmq_url: str, tmp_path: Path) -> None:
    authority, other = Authority(tmp_path / "ca"), Authority(tmp_path / "other")
    lead = AmqpCarrier(as_broker(rabbitmq_url), {STREAM: BOX}, at_lead=True)
    lead.list_segments(STREAM)
    with tls_broker(rabbitmq, authority.issue("localhost")) as port:
        write_by_broker(port, "localhost", rabbitmq_url, authority)
        until(lambda: lead.read(STREAM, MANIFEST, 100) == b"x")
        for host, known in (("127.0.0.1", authority), ("localhost", other), ("localhost", None)):
            with pytest.raises(BrokerFailed, match="SSLCertVerificationError"):
                write_by_broker(port, host, rabbitmq_url, known)
        authority.issue("localhost", days=0)
        rabbitmq.erlang("ssl:clear_pem_cache().")
        with pytest.raises(BrokerFailed, match="SSLCertVerificationError"):
            write_by_broker(port, "localhost", rabbitmq_url, authority)
        authority.issue("localhost")
        rabbitmq.erlang("ssl:clear_pem_cache().")
        write_by_broker(port, "localhost", rabbitmq_url, authority)
    lead.close()
