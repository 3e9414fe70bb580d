"""A home's settings: read as they were written; a wrong one stops the start with its name."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.engine import make_url

from shared.contracts.errors import HomeUnusable
from shared.ops.settings import Home, Joined, from_environment, load_home

KEY = "ab" * 32
JOINED = Joined("lahde", "yhdistys", "file:/var/inbox", KEY, KEY)
TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"], include_characters="\t\x7f'\"\\[]#= "), max_size=30)


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("POLKU_DATABASE_URL", "POLKU_BUS_URL", "POLKU_HEALTH_HOST"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(f"{name}_FILE", raising=False)


def _node(path: Path, **more: object) -> Home:
    return Home(path, "node", "pori-0a1b2c3d", 8401, **more)  # type: ignore[arg-type]


@given(TEXT.filter(bool), TEXT, TEXT, st.integers(1, 63535), st.lists(st.sampled_from("abc"), unique=True))
@settings(max_examples=100, deadline=None)
def test_a_home_is_read_as_it_was_saved(
    tmp_path_factory: pytest.TempPathFactory, place: str, database: str, host: str, port: int, programmes: list[str]
) -> None:
    path = tmp_path_factory.mktemp("home")
    joined = tuple(Joined(key, f"partner_{key}", f"file:/{place}", KEY, KEY) for key in programmes)
    home = Home(path, "node", "pori-0a1b2c3d", port, host or "127.0.0.1", database, database, joined)
    home.save()
    assert load_home(path) == home
    assert {file.name for file in path.iterdir()} == {"home.toml"}


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="/"), min_size=1, max_size=20))
@settings(max_examples=100, deadline=None)
def test_the_database_lies_in_the_home_whatever_the_home_is_called(name: str) -> None:
    path = Path("/var/homes") / name
    assert make_url(_node(path).database_url).database == str(path / "node.db")
    assert make_url(Home(path, "lead", "lead", 8400).database_url).database == str(path / "lead.db")


def test_what_is_not_set_has_its_default(tmp_path: Path) -> None:
    (tmp_path / "home.toml").write_text('role = "lead"\nname = "lead"\nport = 8400\n')
    home = load_home(tmp_path)
    assert (home.host, home.bus_url, home.embedded) == ("127.0.0.1", "embedded://lead", True)
    assert (home.health_port, home.child_port) == (9400, 10400)
    assert home.joined == ()


GOOD = {"role": '"node"', "name": '"pori-0a1b2c3d"', "port": "8401"}
PLACE = {
    "key": '"lahde"',
    "partner": '"yhdistys"',
    "uplink": '"file:/inbox"',
    "lead_signing_key": f'"{KEY}"',
    "lead_receiving_key": f'"{KEY}"',
}


def _written(path: Path, settings: dict[str, str], place: dict[str, str] | None = None) -> Path:
    lines = [f"{name} = {value}" for name, value in settings.items()]
    if place is not None:
        lines += ["[[programme]]", *(f"{name} = {value}" for name, value in place.items())]
    (path / "home.toml").write_text("\n".join(lines), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("role", wrong) for wrong in ('"boss"', "1", "[]")),
        *(("name", wrong) for wrong in ('"Pori-0a1b2c3d"', '"pori"', '"lead"', "1", '"pori-0A1B2C3D"')),
        *(("port", wrong) for wrong in ("0", "63536", "true", '"8401"', "1.5", "-1")),
        *((name, wrong) for name in ("host", "database", "bus") for wrong in ("1", "[]", "true")),
        *(("programme", wrong) for wrong in ("1", '"lahde"', "{}", "[1]", "true")),
        ("colour", '"red"'),
    ],
)
def test_a_wrong_setting_is_named(tmp_path: Path, name: str, value: str) -> None:
    load_home(_written(tmp_path, GOOD))
    with pytest.raises(HomeUnusable, match=name):
        load_home(_written(tmp_path, {**GOOD, name: value}))


@pytest.mark.parametrize("name", GOOD)
def test_a_setting_that_is_missing_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(HomeUnusable, match=name):
        load_home(_written(tmp_path, {key: value for key, value in GOOD.items() if key != name}))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("key", '"local"'),  # the stream that never leaves a node
        ("key", '"Lähde"'),
        ("partner", '"a-b"'),
        ("uplink", '"ftp://example.org"'),
        ("uplink", '"file:relative"'),
        ("lead_signing_key", '"ab"'),
        ("lead_receiving_key", "7"),
        ("colour", '"red"'),
    ],
)
def test_a_wrong_setting_of_a_programme_is_named(tmp_path: Path, name: str, value: str) -> None:
    assert load_home(_written(tmp_path, GOOD, PLACE)).joined[0].programme == "lahde"
    with pytest.raises(HomeUnusable, match=f"programme.{name}"):
        load_home(_written(tmp_path, GOOD, {**PLACE, name: value}))
    if name in PLACE:
        with pytest.raises(HomeUnusable, match=f"programme.{name}"):
            load_home(_written(tmp_path, GOOD, {key: given for key, given in PLACE.items() if key != name}))


def test_a_programme_that_stands_twice_is_refused(tmp_path: Path) -> None:
    home = _node(tmp_path, joined=(JOINED, JOINED))
    home.save()
    with pytest.raises(HomeUnusable, match=r"programme\.key"):
        load_home(tmp_path)


def test_joining_a_programme_anew_replaces_its_place(tmp_path: Path) -> None:
    again = Joined("lahde", "yhdistys", "file:/elsewhere", KEY, KEY)
    other = Joined("kuntsari", "yhdistys", "file:/inbox", KEY, KEY)
    home = _node(tmp_path, joined=(JOINED,)).with_programme(other).with_programme(again)
    assert set(home.joined) == {other, again}


@pytest.mark.parametrize("content", [b"role = ", b"\xff\xfe", b"a" * 10, b"[" * 5000])
def test_what_is_no_toml_is_no_home(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "home.toml").write_bytes(content)
    with pytest.raises(HomeUnusable, match="TOML"):
        load_home(tmp_path)


def test_a_directory_that_is_no_home_is_told_how_to_make_one(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none"):
        with pytest.raises(HomeUnusable, match="polku init"):
            load_home(path)
    (tmp_path / "file").touch()
    with pytest.raises(HomeUnusable, match="directory"):
        load_home(tmp_path / "file")
    (tmp_path / "home.toml").mkdir()
    with pytest.raises(HomeUnusable, match="directory"):
        load_home(tmp_path)


def test_the_environment_goes_before_the_file_and_a_variable_before_its_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = _node(tmp_path, database="sqlite:////in/home.db", bus="amqp://in-home/")
    assert (home.database_url, home.bus_url, home.embedded) == ("sqlite:////in/home.db", "amqp://in-home/", False)
    secret = tmp_path / "secret"
    secret.write_text("postgresql+psycopg://from-file/x\n")
    monkeypatch.setenv("POLKU_DATABASE_URL_FILE", str(secret))
    assert home.database_url == "postgresql+psycopg://from-file/x"
    monkeypatch.setenv("POLKU_DATABASE_URL", "postgresql+psycopg://from-variable/x")
    assert home.database_url == "postgresql+psycopg://from-variable/x"
    monkeypatch.setenv("POLKU_DATABASE_URL", "")
    assert home.database_url == "postgresql+psycopg://from-file/x"


@pytest.mark.parametrize("content", [None, b"", b" \n", b"\xff\xff"])
def test_a_secret_file_that_cannot_be_used_stops_the_start_with_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes | None
) -> None:
    file = tmp_path / "secret"
    if content is not None:
        file.write_bytes(content)
    monkeypatch.setenv("POLKU_BUS_URL_FILE", str(file))
    with pytest.raises(HomeUnusable, match="POLKU_BUS_URL_FILE"):
        from_environment("POLKU_BUS_URL")


@pytest.mark.parametrize("wrong", ["hunter2", "mysql://root:hunter2@host/x", "sqlite:hunter2", "://hunter2"])
def test_a_url_that_is_none_is_named_and_not_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wrong: str
) -> None:
    monkeypatch.setenv("POLKU_DATABASE_URL", wrong)
    monkeypatch.setenv("POLKU_BUS_URL", wrong)
    for name, read in (("POLKU_DATABASE_URL", Home.database_url), ("POLKU_BUS_URL", Home.bus_url)):
        assert read.fget is not None
        with pytest.raises(HomeUnusable, match=name) as refused:
            read.fget(_node(tmp_path))
        assert "hunter2" not in str(refused.value)


def test_health_is_answered_on_loopback_unless_the_environment_says_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = _node(tmp_path, host="0.0.0.0")
    assert home.health_host == "127.0.0.1"
    monkeypatch.setenv("POLKU_HEALTH_HOST", "192.0.2.7")
    assert home.health_host == "192.0.2.7"


@pytest.mark.parametrize("wrong", ["node.example.org", "192.0.2.256", "192.0.2.7:9401", "::", "yes"])
def test_where_health_cannot_be_answered_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wrong: str) -> None:
    monkeypatch.setenv("POLKU_HEALTH_HOST", wrong)
    with pytest.raises(HomeUnusable, match="POLKU_HEALTH_HOST"):
        _ = _node(tmp_path).health_host


PEM = "-----BEGIN CERTIFICATE-----\nMIIB+/=\n-----END CERTIFICATE-----\n"


def test_a_lead_with_certificates_is_read_as_it_was_saved(tmp_path: Path) -> None:
    home = Home(tmp_path, "lead", "lead", 8400, certificate="/c.pem", certificate_key="/k.pem", authority="/a.pem")
    home.save()
    assert load_home(tmp_path) == home


@pytest.mark.parametrize(
    "uplink",
    [
        "file:/var/in box",
        "https://lead.example.org",
        "https://lead.example.org:8443/polku",
        "http://127.0.0.1:8400",
        "http://[::1]:8400",
        "amqps://lahde.yhdistys@broker.example.org/polku",
        "amqp://lahde.yhdistys@localhost:5672/polku",
    ],
)
def test_every_carrier_has_an_uplink(tmp_path: Path, uplink: str) -> None:
    home = _node(tmp_path, joined=(Joined("lahde", "yhdistys", uplink, KEY, KEY, PEM),))
    home.save()
    assert load_home(tmp_path) == home


@pytest.mark.parametrize(
    "uplink",
    [
        "http://lead.example.org",
        "http://127.0.0.1.example.org",
        "amqp://user@broker.example.org/polku",
        "amqps://user:secret@broker.example.org/polku",
        "https://user:secret@lead.example.org",
        "https://lead.example.org/?x",
        "amqps://broker.example.org",
        "ftp://lead.example.org",
        "",
    ],
)
def test_what_is_in_clear_or_holds_a_secret_is_no_uplink(tmp_path: Path, uplink: str) -> None:
    _node(tmp_path, joined=(Joined("lahde", "yhdistys", uplink, KEY, KEY),)).save()
    with pytest.raises(HomeUnusable, match="programme.uplink"):
        load_home(tmp_path)
