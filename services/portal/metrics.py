"""What the portal counts."""

from shared.ops import metrics

REQUEST_SECONDS = metrics.histogram(
    "polku_portal_request_seconds",
    "Time from a request to its answer, by route and class of status",
    "route",
    "status",
)
LOGINS = metrics.counter(
    "polku_portal_logins_total",
    "Attempts to log in: succeeded, refused, or limited because there were too many",
    "outcome",
)
