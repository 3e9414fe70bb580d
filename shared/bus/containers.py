"""The nameko container that our services run in: a failing worker is an answer, never the end of the service.

nameko's own logs the text of a worker's exception and dies when a dependency fails to set up; this one logs type, place
and reference, and hands the exception to the entrypoint, whatever step it comes from.
"""

import sys
from collections.abc import Callable
from typing import Any

import eventlet
from eventlet.greenpool import GreenPool
from greenlet import GreenletExit  # type: ignore[import-untyped]
from nameko.containers import ServiceContainer, WorkerContext

from shared.bus.quiet import place, report_failure
from shared.contracts.errors import Overtaken, PolkuError

Result = tuple[Any, Any]
"""A worker's result and its ``sys.exc_info()``; one of them is None."""


class SafeContainer(ServiceContainer):
    """A `ServiceContainer` for services whose workers may fail."""

    def __init__(self, service_cls: type, config: dict[str, Any]) -> None:
        super().__init__(service_cls, config)
        # At most `max_workers` RPC workers (prefetch) and one for each timer: so spawning, which the bus reader does,
        # never has to wait.
        self._worker_pool = GreenPool(size=self.max_workers + len(self.entrypoints) + 1)
        self.death = ""

    def stop(self) -> None:
        """Finish what is under way, then stop. Followers end first: they would outlive the engine they use."""
        for dependency in self.dependencies:
            stop_early = getattr(dependency, "stop_following", None)
            if stop_early is not None:
                stop_early()
        super().stop()

    def _run_worker(
        self, worker_ctx: WorkerContext, handle_result: Callable[[WorkerContext, Any, Any], Result] | None
    ) -> None:
        result: Any = None
        exc_info: Any = None
        try:
            self._inject_dependencies(worker_ctx)
            self._worker_setup(worker_ctx)
            method = getattr(worker_ctx.service, worker_ctx.entrypoint.method_name)
            try:
                result = method(*worker_ctx.args, **worker_ctx.kwargs)
            except Overtaken:  # it has left nothing behind, and now it finds what the other did
                result = method(*worker_ctx.args, **worker_ctx.kwargs)
        except (Exception, eventlet.Timeout):  # an eventlet.Timeout is no Exception, but no reason to die either
            exc_info = sys.exc_info()
        if handle_result is not None:
            result, exc_info = handle_result(worker_ctx, result, exc_info)
        if exc_info is not None and not getattr(worker_ctx.entrypoint, "reports_failures", False):
            report_worker(worker_ctx, exc_info[1])
        try:
            self._worker_result(worker_ctx, result, exc_info)
            self._worker_teardown(worker_ctx)
        except Exception as error:
            report_worker(worker_ctx, error)

    def _handle_thread_exited(self, gt: Any) -> None:
        try:
            gt.wait()
        except GreenletExit:
            pass
        except BaseException as error:
            self.death = f"{type(error).__name__} at {place(error.__traceback__)}"
            self.kill(sys.exc_info())


def report_worker(worker_ctx: WorkerContext, error: BaseException) -> str:
    """Log a worker's failure; return the reference. A `PolkuError` is a refusal, and there is nothing to log."""
    if isinstance(error, PolkuError):
        return ""
    return report_failure(f"{worker_ctx.service_name}.{worker_ctx.entrypoint.method_name}", error)
