"""The portal of a home, put together: which database, which bus, which way to run what blocks."""

from collections.abc import Callable
from typing import Any

from flask import Flask
from sqlalchemy import Engine

from services.node.control import Rpc
from services.portal.app import create_app
from services.portal.context import PortalContext
from shared.ops.clock import utcnow
from shared.ops.settings import Home


def portal_app(home: Home, engine: Engine, rpc: Rpc, blocking: Callable[[Callable[[], Any]], Any]) -> Flask:
    """The WSGI application of this home's portal."""
    return create_app(
        PortalContext(
            role=home.role, title=home.name, engine=engine, rpc=rpc, blocking=blocking, now=utcnow, secure=False
        )
    )
