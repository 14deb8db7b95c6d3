"""The operations port: /healthz, /readyz and /metrics. Not for the open internet: there is no sign-in."""

from collections.abc import Sequence
from dataclasses import asdict

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.operations.metrics import TrellisCollector, registry_of
from bot.operations.probes import Check, Readiness, Watched, alive
from bot.version import VERSION


def operations_app(watched: Watched) -> Starlette:
    """Routes are plain functions, so that each runs in a thread and a slow database keeps no probe waiting."""
    readiness = Readiness(watched)
    collector = TrellisCollector(watched)
    registry = registry_of(collector)

    def healthz(_: Request) -> Response:
        return _answer([alive(watched)])

    def readyz(request: Request) -> Response:
        return _answer(readiness.for_traffic() if request.query_params.get("for") == "traffic" else readiness.checks())

    def metrics(request: Request) -> Response:
        return _metrics(registry, request.headers.get("accept", ""))

    return Starlette(routes=[Route("/healthz", healthz), Route("/readyz", readyz), Route("/metrics", metrics)])


def _answer(checks: Sequence[Check]) -> Response:
    ok = all(check.ok for check in checks)
    headers = {"Cache-Control": "no-store"}
    return JSONResponse(
        {"ok": ok, "version": VERSION, "checks": [asdict(check) for check in checks]}, 200 if ok else 503, headers
    )


def _metrics(registry: CollectorRegistry, accept: str) -> Response:
    encode, content_type = choose_encoder(accept)
    return Response(encode(registry), headers={"Content-Type": content_type})
