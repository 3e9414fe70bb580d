"""What others would take in the same lines with, each as its documentation recommends and with a commit per message.

Each module is a program: ``python -m tests.bench.rivals.NAME AMQP-URL POSTGRES-URL`` declares the queue, prints
"ready" and stores what comes into `TABLE` until it is ended. Stored again, a line changes nothing: like ours they may
be told twice. They are spared what ours do besides: seals, signatures, chains, numbers, receipts.
"""

QUEUE = "lines"
TABLE = "CREATE TABLE rival_line (stream text, seq bigint, kind text, line text, PRIMARY KEY (stream, seq))"
INSERT = "INSERT INTO rival_line VALUES ({}, {}, {}, {}) ON CONFLICT DO NOTHING"
"""With the driver's way to write a parameter."""
