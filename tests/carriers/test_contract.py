"""What `sending` and `receiving` may rely on, whatever carries: one text, every carrier."""

from shared.journal.carrier import JOIN, MANIFEST, RECEIPT, Place
from shared.journal.segment import MAX_SEGMENT
from shared.testing.wait import until
from tests.carriers.kit import Ends
from tests.journal.exchange_kit import STREAM

TO_NODE = "lead/lahde/pori-0a1b2c3d"
PLACE = Place(1, 4, 6)


def test_nothing_there_reads_as_nothing(ends: Ends) -> None:
    assert ends.node.read(STREAM, RECEIPT, 100) is None
    assert ends.lead.read(STREAM, MANIFEST, 100) is None
    assert ends.lead.list_segments(STREAM) == []
    assert ends.node.list_segments(TO_NODE) == []
    assert ends.node.read(TO_NODE, PLACE.name, 100) is None


def test_what_a_node_writes_its_lead_reads_to_the_byte(ends: Ends) -> None:
    segment = bytes(range(256)) * 4
    ends.node.write(STREAM, PLACE.name, segment)
    ends.node.write(STREAM, MANIFEST, b"manifest")
    ends.arrives(STREAM, MANIFEST, b"manifest")
    found = ends.listed(ends.lead, STREAM, 1)
    assert [(entry.place, entry.size) for entry in found] == [(PLACE, 1024)]
    assert ends.lead.read(STREAM, PLACE.name, MAX_SEGMENT) == segment


def test_what_a_lead_writes_its_node_reads_to_the_byte(ends: Ends) -> None:
    ends.lead.write(TO_NODE, PLACE.name, b"segment")
    ends.lead.write(TO_NODE, MANIFEST, b"its manifest")
    ends.lead.write(STREAM, RECEIPT, b"receipt")
    ends.arrives(STREAM, RECEIPT, b"receipt")
    ends.arrives(TO_NODE, MANIFEST, b"its manifest")
    assert [entry.place for entry in ends.listed(ends.node, TO_NODE, 1)] == [PLACE]
    assert ends.node.read(TO_NODE, PLACE.name, MAX_SEGMENT) == b"segment"


def test_a_node_answers_the_leads_own_stream(ends: Ends) -> None:
    ends.node.write(TO_NODE, RECEIPT, b"the node's receipt")
    ends.arrives(TO_NODE, RECEIPT, b"the node's receipt")


def test_the_newest_statement_takes_the_place_of_the_last(ends: Ends) -> None:
    for number in range(5):
        ends.node.write(STREAM, MANIFEST, b"manifest %d" % number)
    ends.arrives(STREAM, MANIFEST, b"manifest 4")
    for number in range(5):
        ends.lead.write(STREAM, RECEIPT, b"receipt %d" % number)
    ends.arrives(STREAM, RECEIPT, b"receipt 4")


def test_who_sees_a_manifest_sees_what_was_written_before_it(ends: Ends) -> None:
    places = [Place(1, first, first) for first in range(1, 13)]
    for place in reversed(places):
        ends.node.write(STREAM, place.name, place.name.encode())
    ends.node.write(STREAM, MANIFEST, b"after all of them")
    ends.arrives(STREAM, MANIFEST, b"after all of them")
    found = ends.lead.list_segments(STREAM)
    assert [entry.place for entry in found or []] == places
    for place in places:
        assert ends.lead.read(STREAM, place.name, 100) == place.name.encode()


def test_what_was_read_is_there_until_it_is_decided(ends: Ends) -> None:
    ends.node.write(STREAM, PLACE.name, b"segment")
    (found,) = ends.listed(ends.lead, STREAM, 1)
    for _ in range(2):
        assert ends.lead.read(STREAM, PLACE.name, 100) == b"segment"
        assert ends.lead.list_segments(STREAM) == [found]


def test_a_segment_that_is_decided_and_deleted_is_gone(ends: Ends) -> None:
    ends.node.write(STREAM, PLACE.name, b"segment")
    (found,) = ends.listed(ends.lead, STREAM, 1)
    ends.lead.decided(STREAM, found)
    ends.node.delete(STREAM, PLACE.name)
    assert ends.listed(ends.lead, STREAM, 0) == []
    assert ends.lead.read(STREAM, PLACE.name, 100) is None


def test_a_segment_written_again_is_another_version(ends: Ends) -> None:
    ends.node.write(STREAM, PLACE.name, b"one")
    (first,) = ends.listed(ends.lead, STREAM, 1)
    ends.node.write(STREAM, PLACE.name, b"two")
    ends.node.write(STREAM, MANIFEST, b"after it")
    ends.arrives(STREAM, MANIFEST, b"after it")
    (second,) = ends.listed(ends.lead, STREAM, 1)
    assert (second.place, second.version != first.version) == (first.place, True)
    assert ends.lead.read(STREAM, PLACE.name, 100) == b"two"


def test_deleting_what_is_not_there_is_no_trouble(ends: Ends) -> None:
    ends.node.delete(STREAM, PLACE.name)


def test_never_more_is_read_than_asked_for(ends: Ends) -> None:
    ends.node.write(STREAM, PLACE.name, b"0123456789")
    ends.listed(ends.lead, STREAM, 1)
    assert ends.lead.read(STREAM, PLACE.name, 4) == b"0123"
    ends.lead.write(STREAM, RECEIPT, b"0123456789")
    ends.arrives(STREAM, RECEIPT, b"0123456789")
    assert ends.node.read(STREAM, RECEIPT, 4) == b"0123"
    assert ends.node.read(STREAM, RECEIPT, 20) == b"0123456789"


def test_the_largest_segment_passes(ends: Ends) -> None:
    ends.node.write(STREAM, PLACE.name, b"x" * MAX_SEGMENT)
    assert ends.listed(ends.lead, STREAM, 1)[0].size == MAX_SEGMENT


def test_a_join_reaches_the_lead(ends: Ends) -> None:
    ends.node.write(STREAM, JOIN, b"sealed")
    until(lambda: ends.lead.read_joins(100) == [b"sealed"])
