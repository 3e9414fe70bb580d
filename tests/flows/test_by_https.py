"""A node and its lead over https with a certificate of the lead's own authority, as people set it up: the portal is
reachable from elsewhere, the health of its processes is not."""

import json
import socket
import ssl
import urllib.request
from pathlib import Path

from shared.ops.settings import load_home
from shared.programmes.files import programme_file
from shared.testing.authority import Authority
from shared.testing.private import free_port
from shared.testing.wait import until
from tests.flows.kit import PROGRAMME, Pair, Site, free_port_triple

ELSEWHERE = "127.0.0.2"
"""Of this machine too, but what listens on 127.0.0.1 alone does not answer there."""


def test_a_node_joined_over_https_is_complete_and_survives_a_new_certificate(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "ca")
    certificate = authority.issue("localhost")
    lead, node = Site(tmp_path / "lead", "lead"), Site(tmp_path / "node", "node")
    port = free_port_triple()
    lead.polku("init", "--role", "lead", "--port", str(port), "--host", "0.0.0.0")
    with (lead.path / "home.toml").open("a") as settings:
        settings.write(f'certificate = "{certificate}"\nauthority = "{authority.file}"\n')
    node.polku("init", "--role", "node", "--name", "leader", "--port", str(free_port_triple()))
    pair, file, invite = Pair(lead, node), str(programme_file(PROGRAMME)), tmp_path / "invite.json"
    url = f"https://localhost:{port}"
    try:
        lead.up()
        home = load_home(lead.path)
        assert reachable("127.0.0.1", home.health_port)
        assert not reachable(ELSEWHERE, home.health_port)
        lead.polku("programme", "load", file)
        where = ("--uplink", url, "--out", str(invite))
        lead.polku("lead", "admit", "leader_association", "--programme", PROGRAMME, *where)
        node.polku("node", "join", str(invite))
        assert load_home(node.path).joined[0].uplink == url
        node.up()
        node.polku("programme", "load", file)
        assert pair.wait_until_arrived()["arrived"] is True
        until(lambda: json.loads(node.polku("complete", "--json", fails=True))["complete"], 30)

        assert reachable(ELSEWHERE, port)
        assert reachable("127.0.0.1", home.child_port)
        assert not reachable(ELSEWHERE, home.child_port)
        first = served_serial(port, authority)
        authority.issue("localhost")
        until(lambda: served_serial(port, authority) != first, 30)
        node.down()
        node.up()
        head = json.loads(node.polku("complete", "--json", fails=True))["streams"][0]["head"]
        until(lambda: json.loads(node.polku("complete", "--json", fails=True))["streams"][0]["watermark"] == head, 30)

        page = urllib.request.urlopen(f"{url}/login", context=ssl.create_default_context(cafile=str(authority.file)))
        assert "__Host-polku" in page.headers["Set-Cookie"]
    finally:
        node.down()
        lead.down()


def test_a_lead_refuses_to_be_reached_from_elsewhere_in_clear(tmp_path: Path) -> None:
    lead = Site(tmp_path / "lead", "lead")
    lead.polku("init", "--role", "lead", "--port", str(free_port()), "--host", "0.0.0.0")
    process = lead.begin("up")
    assert process.wait(60) == 2


def reachable(host: str, port: int) -> bool:
    """Whether something listens there."""
    with socket.socket() as caller:
        return caller.connect_ex((host, port)) == 0


def served_serial(port: int, authority: Authority) -> int:
    """The serial number of the certificate that is served now."""
    return authority.serial_of(
        ssl.get_server_certificate(("localhost", port), ca_certs=str(authority.file), timeout=20)
    )
