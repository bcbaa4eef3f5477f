"""For machines that watch the service: it lives, it is ready, and what it has been doing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from prometheus_client import CollectorRegistry, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.responses import JSONResponse, Response

from bot_service.clinical.catalogue import URGENCIES
from bot_service.clock import real_now
from bot_service.errors import SettingsError
from bot_service.storage import measures, migrating
from bot_service.web.access import Visit
from bot_service.web.service import Service

LATE_S = (1, 5, 10, 30, 60, 300, 900, 3600, 10800)


def alive(visit: Visit) -> Response:
    """The process lives."""
    del visit
    return JSONResponse({"status": "ok"})


def ready(visit: Visit) -> Response:
    """Whether this process can do its work: database, schema and pulse; else 503 with the reason.

    A sender that is stopped is named but makes no 503: replies and pages must still get through.
    """
    reason = why_not_ready(visit.service, real_now())
    if reason is not None:
        return JSONResponse({"status": "not ready", "reason": reason}, 503)
    with visit.service.db.read() as tx:
        stopped = measures.count_stopped_senders(tx)
    return JSONResponse({"status": "ready"} | ({"stopped_senders": stopped} if stopped else {}))


def measured(visit: Visit) -> Response:
    """What Prometheus collects."""
    registry: CollectorRegistry = visit.request.app.state.registry
    return Response(generate_latest(registry), media_type="text/plain; version=0.0.4; charset=utf-8")


def why_not_ready(service: Service, now: datetime) -> str | None:
    """One sentence, or None when all is well."""
    try:
        with service.db.read() as tx:
            measures.answers(tx)
        migrating.check_schema(service.db.engine)
    except SettingsError as error:
        return str(error)
    except Exception as error:  # noqa: BLE001  # whatever the driver raises, the answer is the same
        return f"the database does not answer ({type(error).__name__})"
    longest = timedelta(seconds=max(30, 3 * service.settings.tick_seconds))
    if service.last_tick is None:
        return "no tick has been completed yet"
    if now - service.last_tick > longest:
        return f"the last tick was {(now - service.last_tick).total_seconds():.0f} s ago, more than {longest.total_seconds():.0f} s"
    return None


def make_registry(service: Service) -> CollectorRegistry:
    """A registry of our own, so that nothing a library registers gets in, and tests do not share one."""
    registry = CollectorRegistry()
    registry.register(_Counts(service))
    registry.register(_Lateness(service))
    return registry


class _Counts(Collector):
    """Read from the database when asked, so that every replica says the same."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def collect(self) -> Iterator[Metric]:
        service = self._service
        with service.db.read() as tx:
            messages, inbound, cases = measures.count_messages(tx), measures.count_inbound(tx), measures.count_open_cases(tx)
            overdue, stopped = measures.count_overdue(tx, service.clock.now()), measures.count_stopped_senders(tx)
        by_state = GaugeMetricFamily("stepwise_messages", "Messages by kind and state.", labels=("kind", "state"))
        for (kind, state), number in sorted(messages.items()):
            by_state.add_metric((kind, state), number)
        yield by_state
        yield GaugeMetricFamily("stepwise_messages_overdue", "Messages due that have not begun to go out.", overdue)
        yield GaugeMetricFamily("stepwise_senders_stopped", "Senders whose credentials the provider refused.", stopped)
        received = GaugeMetricFamily("stepwise_inbound", "Updates from patients by state.", labels=("state",))
        for state in ("received", "handled", "quarantined"):
            received.add_metric((state,), inbound.get(state, 0))
        yield received
        flags = GaugeMetricFamily("stepwise_flags_open", "Open cases by urgency.", labels=("urgency",))
        for urgency in URGENCIES:
            flags.add_metric((urgency,), cases.get(urgency, 0))
        yield flags
        last = service.last_tick.timestamp() if service.last_tick else 0
        yield GaugeMetricFamily("stepwise_last_tick_timestamp_seconds", "Real time of the last completed tick, 0 for none.", last)
        yield CounterMetricFamily("stepwise_tick_failures", "Ticks that failed in this process.", service.errors)


class _Lateness(Collector):
    """How late the messages of this process went out, in the domain's time; each counted once, when a collection first sees it."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._seen = service.clock.now()
        self._late = Histogram("stepwise_send_lateness_seconds", "Sent minus due.", registry=None, buckets=LATE_S)

    def collect(self) -> Iterator[Metric]:
        with self._service.db.read() as tx:
            fresh = measures.list_lateness(tx, self._service.worker, self._seen)
        for at, seconds in fresh:
            self._late.observe(seconds)
            self._seen = at
        yield from self._late.collect()
