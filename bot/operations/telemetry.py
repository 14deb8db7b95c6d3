"""Traces over OTLP, when OTEL_EXPORTER_OTLP_ENDPOINT is set and `trellis[telemetry]` is installed.

Our provider is not made the global one: instrumented libraries would then put requests and error messages into it.
"""

import logging
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from bot.services.watching import Ids, Trace, trace_with

logger = logging.getLogger(__name__)

FLUSH_PATIENCE = 1.5  # seconds; with the patience of the run loop this stays below the 10 s of container engines


def start_traces() -> Callable[[], None]:
    """Begin to send spans, if that is wanted; call what comes back at the end, so that the last ones are sent."""
    if not (os.getenv("OTEL_EXPORTER_OTLP_ENDPOINT") or os.getenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")):
        return lambda: None
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        logger.warning(
            "OTEL_EXPORTER_OTLP_ENDPOINT is set, but traces need more packages: pip install 'trellis[telemetry]'."
        )
        return lambda: None
    service = Resource.create({"service.name": os.getenv("OTEL_SERVICE_NAME", "trellis")})
    provider = TracerProvider(resource=service, shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace_with(_spans_of(provider))

    def stop() -> None:
        """A collector that does not answer must not hold the process up."""
        last = threading.Thread(target=provider.shutdown, daemon=True)
        last.start()
        last.join(FLUSH_PATIENCE)

    return stop


def _spans_of(provider: object) -> Trace:
    from opentelemetry.trace import StatusCode

    tracer = provider.get_tracer("trellis")  # type: ignore[attr-defined]

    @contextmanager
    def span(act: str, ids: Ids) -> Iterator[None]:
        """Without the error's message, which may hold words."""
        with tracer.start_as_current_span(act, record_exception=False, set_status_on_exception=False) as current:
            try:
                yield
            except BaseException as error:
                current.set_status(StatusCode.ERROR, type(error).__name__)
                raise
            finally:
                current.set_attributes({f"trellis.{name}": value for name, value in ids.items()})

    return span
