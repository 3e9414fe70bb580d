"""The portal of a home, put together: which database, which bus, which way to run what blocks."""

from collections.abc import Callable
from typing import Any

from flask import Flask
from sqlalchemy import Engine
from werkzeug.middleware.proxy_fix import ProxyFix

from services.node.control import Rpc
from services.portal.app import create_app
from services.portal.context import PortalContext
from shared.journal.crypto import load_keys
from shared.ops.clock import utcnow
from shared.ops.settings import Home, from_environment


def portal_app(home: Home, engine: Engine, rpc: Rpc, blocking: Callable[[Callable[[], Any]], Any]) -> Flask:
    """The WSGI application of this home's portal.

    POLKU_BEHIND_TLS_PROXY=1 says that browsers come by https and only through a proxy that sets X-Forwarded-For:
    cookies are then for https alone, and logins are counted by the address that the proxy names.
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
            secure=proxied,
            bus_key=load_keys(home.keys).newest("bus").public if home.role == "node" else None,
        )
    )
    if proxied:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1, x_proto=0)  # type: ignore[method-assign]
    return app
