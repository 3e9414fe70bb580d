# green:
"""A command that another worker has overtaken is carried out once more, and its caller hears only how that ended."""

import uuid
from collections.abc import Iterator

import pytest

from shared.bus.client import RpcClient
from shared.bus.entrypoints import rpc
from shared.contracts.errors import Overtaken
from tests.bus.support import running


class Records:
    """Is overtaken as often as it is told."""

    name = "records"
    times = 0
    calls = 0

    @rpc
    def record(self) -> int:
        type(self).calls += 1
        if self.calls <= self.times:
            raise Overtaken()
        return self.calls


@pytest.fixture
def client() -> Iterator[RpcClient]:
    Records.calls = 0
    url = f"embedded://t{uuid.uuid4().hex}"
    with running(url, Records):
        client = RpcClient(url)
        yield client
        client.close()


def test_overtaken_once_the_command_is_carried_out_again(client: RpcClient) -> None:
    Records.times = 1
    assert client.call("records", "record") == 2


def test_overtaken_again_the_caller_is_told(client: RpcClient) -> None:
    Records.times = 2
    with pytest.raises(Overtaken):
        client.call("records", "record")
    assert Records.calls == 2
