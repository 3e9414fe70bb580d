"""The bus's metrics. No label ever holds anything from a message's body."""

from shared.ops.metrics import counter, histogram

rejected_total = counter(
    "polku_bus_rejected_total", "Messages dropped because they are none of ours, by queue and reason", "where", "reason"
)
rpc_requests_total = counter(
    "polku_bus_rpc_requests_total",
    "RPC requests answered, by outcome: ok, refused, failed",
    "service",
    "method",
    "outcome",
)
rpc_seconds = histogram("polku_bus_rpc_seconds", "From taking an RPC request to its answer", "service", "method")
rpc_calls_total = counter(
    "polku_bus_rpc_calls_total", "RPC calls made, by outcome: ok, refused, absent, timeout", "service", "outcome"
)
replies_unclaimed_total = counter(
    "polku_bus_replies_unclaimed_total", "Replies whose caller had gone, seen at the service or at the caller", "side"
)
wakeups_total = counter("polku_bus_wakeups_total", "Wake-ups, by outcome: sent, not_sent, received", "outcome")
follow_failures_total = counter("polku_bus_follow_failures_total", "Rounds of following that raised", "service")
connections_lost_total = counter("polku_bus_connections_lost_total", "Bus connections lost or not made", "link")
