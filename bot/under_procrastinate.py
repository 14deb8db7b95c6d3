"""The shared jobs under Procrastinate (`trellis run --engine procrastinate`): an engine that some operators know and watch.

It only rings. What is due, who has taken it and what became of it stands in our own tables as ever; so a job that the engine
loses or rings twice loses and repeats nothing.
"""

import asyncio
import threading
from collections.abc import Callable, Sequence
from datetime import timedelta

import procrastinate
import psycopg
import psycopg_pool
from procrastinate.exceptions import ConnectorException

from bot.jobs import Job
from bot.services.delivery import Clock
from storage.database import Limits, one_at_a_time, open_database

DAILY = "0 4 * * *"  # UTC
AWAY = (ConnectorException, psycopg.Error, psycopg_pool.PoolTimeout)  # what it raises while the database is away
LAST_WORDS = 6.0  # seconds for a job that is at work when told to stop


def ring_for(jobs: Sequence[Job], url: str, clock: Clock, stopping: threading.Event) -> Job:
    """One job that runs a worker of Procrastinate until `stopping`; when the database goes away it is tried again.

    One ring a job and moment, however many processes there are; while one still waits no other is put beside it.
    """
    worker = Job("procrastinate", lambda: asyncio.run(_work(app, stopping, here)))
    app = _app_of(jobs, url, clock)

    def here() -> None:
        worker.done_at = worker.tried_at = clock()
        worker.failures = 0

    return worker


def set_up(url: str) -> None:
    """Procrastinate's own tables, beside ours. Its upgrades are its own matter: `procrastinate schema --migrations-path`."""
    engine = open_database(url, limits=Limits(pool=1, overflow=0))
    app = procrastinate.App(connector=procrastinate.SyncPsycopgConnector(conninfo=conninfo_of(url)))
    try:
        with one_at_a_time(engine), app.open():
            if not app.check_connection():
                app.schema_manager.apply_schema()
    finally:
        engine.dispose()


def _app_of(jobs: Sequence[Job], url: str, clock: Clock) -> procrastinate.App:
    connector = procrastinate.PsycopgConnector(conninfo=conninfo_of(url), min_size=1, max_size=len(jobs) + 2)
    app = procrastinate.App(connector=connector, worker_defaults={"concurrency": len(jobs)})
    for job in jobs:
        task = app.task(name=f"trellis: {job.name}", queueing_lock=job.name, queue="trellis")(_ringing(job, clock))
        app.periodic(cron=cron_of(job.every))(task)
    return app


def _ringing(job: Job, clock: Clock) -> Callable[[int], None]:
    def ring(timestamp: int) -> None:
        job.once(clock)

    return ring


async def _work(app: procrastinate.App, stopping: threading.Event, here: Callable[[], None]) -> None:
    """Until told to stop. Raises what the database raises."""
    async with app.open_async():
        worker = asyncio.create_task(
            app.run_worker_async(
                queues=["trellis"],
                install_signal_handlers=False,
                delete_jobs="always",
                fetch_job_polling_interval=1.0,
                shutdown_graceful_timeout=LAST_WORDS,
            )
        )
        while not stopping.is_set() and not worker.done():
            here()
            await asyncio.wait([worker], timeout=0.2)
        if worker.done():
            worker.result()
            return
        worker.cancel()
        await asyncio.wait([worker])


def cron_of(every: timedelta) -> str:
    """Procrastinate's cron, with seconds in the sixth column."""
    if every >= timedelta(days=1):
        return DAILY
    seconds = int(every.total_seconds())
    return f"* * * * * */{seconds}" if seconds < 60 else f"*/{seconds // 60} * * * *"


def conninfo_of(url: str) -> str:
    """SQLAlchemy's address as PostgreSQL's own."""
    return url.replace("postgresql+psycopg://", "postgresql://", 1)
