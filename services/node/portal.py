"""The portal of a home, put together: which database, which bus, which way to run what blocks."""

from collections.abc import Callable
from typing import Any

from flask import Flask
from sqlalchemy import Engine
from werkzeug.middleware.proxy_fix import ProxyFix

from services.node.control import Rpc
from services.portal.app import create_app
from services.portal.carrying import CarrierEdge
from services.portal.context import PortalContext
from services.portal.logos import pictures
from shared.contracts.errors import HomeUnusable
from shared.journal.crypto import current_keys
from shared.journal.filecarrier import FileCarrier
from shared.journal.httpcarrier import PREFIX
from shared.ops.clock import utcnow
from shared.ops.settings import Home, from_environment


def refuse_clear_text(home: Home, *, own_tls: bool) -> None:
    """Raise `HomeUnusable` if this home's portal could be reached from elsewhere without TLS.

    `own_tls`: the server can use home.toml's certificate itself. POLKU_BEHIND_TLS_PROXY=loopback says that whoever
    publishes the port (a container's host) does so on loopback only.
    """
    if home.host in ("127.0.0.1", "::1", "localhost") or (own_tls and home.certificate):
        return
    if from_environment("POLKU_BEHIND_TLS_PROXY") not in ("1", "loopback"):
        reason = (
            f"its portal would listen on {home.host} in clear: put a TLS proxy in front of it and set "
            f"POLKU_BEHIND_TLS_PROXY=1{', or name certificate and certificate_key in home.toml' if own_tls else ''}"
        )
        raise HomeUnusable(home=str(home.path), reason=reason)


def portal_app(
    home: Home,
    engine: Engine,
    rpc: Rpc,
    blocking: Callable[[Callable[[], Any]], Any],
    wake: Callable[[], None] = lambda: None,
) -> Flask:
    """The WSGI application of this home's portal; a lead's serves its nodes too (`services/portal/carrying.py`).

    POLKU_BEHIND_TLS_PROXY=1 says that browsers come by https and only through a proxy that sets X-Forwarded-For:
    cookies are then for https alone, and logins are counted by the address that the proxy names. `wake` has the
    receiver look.
    """
    proxied = from_environment("POLKU_BEHIND_TLS_PROXY") == "1"
    app = create_app(
        PortalContext(
            role=home.role,
            title=home.name,
            engine=engine,
            rpc=rpc,
            blocking=blocking,
            now=utcnow,
            secure=proxied or bool(home.certificate),
            bus_key=lambda: current_keys(home.keys).newest("bus").public if home.role == "node" else None,
            pictures=pictures(home.path),
        )
    )
    if proxied:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1, x_proto=0)  # type: ignore[method-assign]
    if home.role == "lead":
        edge, pages = CarrierEdge(FileCarrier(home.inbox), rpc, blocking, utcnow, wake), app.wsgi_app

        def either(environ: Any, start_response: Any) -> Any:
            return (edge if environ.get("PATH_INFO", "").startswith(PREFIX) else pages)(environ, start_response)

        app.wsgi_app = either  # type: ignore[method-assign]
    return app
