"""docker-compose.yml and its neighbours agree with each other and with the code; nothing in them is open or default."""

import re
from typing import Any

import pytest
import yaml

from shared.testing.broker import Broker
from tests.deploy.compose import FILE, HOMES, NODE_KEYS, ROOT, Block, blocks, broker_definitions, document, processes

OURS = [block for block in blocks() if block.home]
RUNNING = [block for home in HOMES for block in processes(home)]
EACH = pytest.mark.parametrize("block", blocks(), ids=lambda block: block.name)
EACH_OF_OURS = pytest.mark.parametrize("block", OURS, ids=lambda block: block.name)
EACH_RUNNING = pytest.mark.parametrize("block", RUNNING, ids=lambda block: block.name)
SECRET = re.compile(r"\$\{[A-Z_]+:\?[^}]*\}")


def environment(block: Block) -> dict[str, str]:
    return {name: str(value) for name, value in (block.body.get("environment") or {}).items()}


def test_every_service_of_the_platform_has_a_block() -> None:
    services = {path.parent.name for path in (ROOT / "services").glob("*/service.py")}
    assert {block.what for block in RUNNING} == services | {"portal", "courier", "receiver"}
    assert {block.home for block in RUNNING if block.what == "portal"} == set(HOMES)


@EACH_RUNNING
def test_a_process_runs_what_its_name_says_and_answers_on_the_health_port(block: Block) -> None:
    words = [block.what] if block.what in ("courier", "receiver") else ["up", block.what]
    assert block.body["command"] == [*words, "--health-port", "9000"]
    assert "127.0.0.1:9000/ready" in " ".join(block.body["healthcheck"]["test"])
    assert environment(block)["POLKU_HEALTH_HOST"] == "0.0.0.0"  # Prometheus asks from its own container


@EACH_RUNNING
def test_a_process_has_the_role_of_its_own_name_and_its_home_made_the_role(block: Block) -> None:
    url = environment(block)["POLKU_DATABASE_URL"]
    found = re.fullmatch(r"postgresql\+psycopg://(\w+):(\$\{\w+:\?[^}]*\})@postgres/(\w+)", url)
    assert found
    assert (found[1], found[3]) == (f"{block.home}_{block.what}", block.home)
    setup = next(other for other in OURS if other.home == block.home and other.what == "setup")
    assert environment(setup)[f"POLKU_PASSWORD_{block.what.upper()}"] == found[2]


def test_no_two_processes_share_a_password() -> None:
    names = [SECRET.findall(environment(block)["POLKU_DATABASE_URL"])[0] for block in OURS]
    assert len(set(names)) == len(names)


@EACH
def test_a_port_is_published_on_loopback_only_and_only_for_people(block: Block) -> None:
    ports = block.body.get("ports", [])
    assert all(port.startswith("127.0.0.1:") for port in ports)
    assert not ports or block.what in ("portal", "prometheus", "grafana")


@EACH
def test_no_block_holds_a_secret_or_a_default_for_one(block: Block) -> None:
    for name, value in environment(block).items():
        if "PASSWORD" in name:
            assert SECRET.fullmatch(value), name
        for password in re.findall(r"://\w+:([^@]*)@", value):
            assert SECRET.fullmatch(password), name
    assert not re.search(r"\$\{\w*(PASSWORD|HASH)\w*:?-", FILE.read_text())


@EACH
def test_everything_that_stays_says_whether_it_is_well_and_comes_back_after_a_crash(block: Block) -> None:
    if block.what == "setup":
        assert block.body["restart"] == "no"
    else:
        assert block.body["restart"] == "unless-stopped"
        assert block.body["healthcheck"]["test"]


@EACH_OF_OURS
def test_our_containers_can_change_nothing_but_their_volumes(block: Block) -> None:
    assert block.body["read_only"] is True
    assert block.body["cap_drop"] == ["ALL"]
    writes = [mount for mount in block.body["volumes"] if not mount.endswith(":ro")]
    assert writes == {
        "setup": [f"{block.home}-home:/var/lib/polku/{block.home}"],
        "intake": ["node-home:/var/lib/polku/node"],  # tag keys come while it runs
        "courier": ["node-home:/var/lib/polku/node", "carrier:/var/lib/polku/lead/inbox"],
        "receiver": ["carrier:/var/lib/polku/lead/inbox"],
        "portal": ["carrier:/var/lib/polku/lead/inbox"] if block.home == "lead" else [],
    }.get(block.what, [])


def test_services_of_a_node_that_use_no_keys_have_none() -> None:
    hidden = {block.what for block in OURS if NODE_KEYS in block.body["tmpfs"]}
    assert hidden == {"activities", "pathways", "measurement"}


def test_the_image_runs_as_nobody_special_and_installs_by_hash() -> None:
    lines = (ROOT / "deploy" / "Dockerfile").read_text().splitlines()
    assert "USER polku" in lines
    assert any("--require-hashes -r requirements.lock" in line for line in lines)


def test_prometheus_asks_every_process() -> None:
    scraped = yaml.safe_load((ROOT / "deploy" / "prometheus" / "prometheus.yml").read_text())
    targets = {
        (entry.get("labels", {}).get("home"), target)
        for job in scraped["scrape_configs"]
        for entry in job["static_configs"]
        for target in entry["targets"]
    }
    assert targets == {(block.home, f"{block.name}:9000") for block in RUNNING} | {(None, "rabbitmq:15692")}


def test_the_broker_knows_a_user_per_home_and_nobody_else() -> None:
    definitions = broker_definitions()
    assert [user["name"] for user in definitions["users"]] == list(HOMES)
    assert all(user["tags"] == [] for user in definitions["users"])
    assert [(row["user"], row["vhost"]) for row in definitions["permissions"]] == [(home, home) for home in HOMES]


def test_files_that_are_mounted_exist() -> None:
    for block in blocks():
        for mount in block.body.get("volumes", []):
            source = mount.split(":")[0]
            if source.startswith("./"):
                assert (ROOT / source).exists(), source
            else:
                assert source in document()["volumes"], source


def declared(url: str, action: Any) -> bool:
    """Whether the broker lets the user of `url` do `action(channel)`."""
    import amqp

    address = re.fullmatch(r"amqp://(\w+):(\w+)@([\w.:]+)/(\w+)", url)
    assert address
    with amqp.Connection(
        host=address[3], userid=address[1], password=address[2], virtual_host=address[4]
    ) as connection:
        try:
            action(connection.channel())
        except amqp.AccessRefused:
            return False
    return True


@pytest.mark.parametrize("home", HOMES)
def test_a_homes_user_names_nothing_but_what_our_processes_name(rabbitmq: Broker, home: str) -> None:
    row = next(row for row in broker_definitions()["permissions"] if row["user"] == home)
    vhost = rabbitmq.new_vhost()
    url = rabbitmq.new_user(vhost, row["configure"], row["write"], row["read"])
    assert declared(url, lambda channel: channel.queue_declare("rpc-intake", durable=True, auto_delete=True))
    assert declared(url, lambda channel: channel.exchange_declare("journal", "fanout", durable=True, auto_delete=False))
    assert not declared(url, lambda channel: channel.queue_declare("other", exclusive=True))
    assert not declared(url, lambda channel: channel.queue_declare("rpc-intake-x", exclusive=True))
    assert not declared(url, lambda channel: channel.exchange_declare("amq.fanout", "fanout", durable=True))
    assert not declared(url, lambda channel: channel.exchange_declare("polku-rpc-x", "direct", durable=True))
    rabbitmq.drop_vhost(vhost)


def test_a_homes_user_comes_into_no_other_vhost(rabbitmq: Broker) -> None:
    import amqp

    one, other = rabbitmq.new_vhost(), rabbitmq.new_vhost()
    url = rabbitmq.new_user(one, ".*", ".*", ".*")
    with pytest.raises(amqp.NotAllowed):
        declared(f"{url.rpartition('/')[0]}/{other.rpartition('/')[2]}", lambda _channel: None)


def test_grafana_reads_what_prometheus_gathers() -> None:
    source = ROOT / "deploy" / "grafana" / "provisioning" / "datasources" / "prometheus.yml"
    assert yaml.safe_load(source.read_text())["datasources"][0]["url"] == "http://prometheus:9090"


def test_the_image_needs_only_what_it_is_given() -> None:
    allowed = set(re.findall(r"^!(\S+)", (ROOT / ".dockerignore").read_text(), re.MULTILINE))
    copied = re.findall(r"^COPY (.+) \S+$", (ROOT / "deploy" / "Dockerfile").read_text(), re.MULTILINE)
    assert {name for names in copied for name in names.split()} == allowed
    assert all((ROOT / name).exists() for name in allowed)
