"""The journal: a node's facts, numbered, chained, followed and shipped. Plain Python; never imports eventlet.

Read in this order; half an hour is enough:

``lines``       what a line is, to the byte, and the chain over lines
``unit``        the unit of work: a service's state and its facts in one transaction, numbered at commit
``follow``      how a service follows the journal and its leads' streams, exactly once in effect; parking what fails
``audit``       who did it, in the same transaction, chained like the lines
``erasing``     how an erased person's lines become digests, and nothing of them is left
``segment``     a run of lines, chained, signed and sealed for the lead
``statements``  receipt (where the lead is) and manifest (how far the node is)
``sending``     a node's round: write what the lead lacks (``planning``: what that is)
``receiving``   the lead's round: decide what has come (``deciding``: one decision; ``received``: what is kept)
``holding``     why a restored home waits for its leads' answers
``returning``   how what it has lost comes back
``epochs``      how its stream goes on, and what becomes void
``post``        letters between two nodes, which the lead carries and cannot read (``posting``: moving them)
``joining``     invite and answer: how a node's keys reach the lead
``directory``   whose node is which, under which keys: what the lead's own stream says
``reading``     what the home's own lines say, for services that ask

Beside them: ``carrier`` (what a transport does), ``filecarrier`` (a folder), ``httpcarrier`` (the lead's portal;
``signedrequests``), ``amqpcarrier`` (the lead's broker; ``brokerlink``), ``crypto`` (signing, sealing, key files),
``durable`` (files that survive a crash), ``tables`` and ``carry_tables``.

Promises: numbers follow commit order without a hole; a fact is there if and only if its transaction was committed;
the bytes of a line never change; whoever follows sees every line once in effect, whatever is killed when.
"""

from shared.journal.lines import Line
from shared.journal.unit import Journal, Unit

__all__ = ["Journal", "Line", "Unit"]
