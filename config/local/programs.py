"""The programs that Etalon consists of, as command lines. docker-compose.yml says the same."""

import sys

# Each worker: the queues it serves. The second part of a name tells workers of one kind apart.
QUEUES = {
    "worker:default": ("interactive", "checks", "default", "pulse-default"),
    "worker:backfill": ("backfill", "pulse-backfill"),
}
BEAT = "beat"
WEB = "web"


def web(port: int, *, host: str = "127.0.0.1", processes: int = 2, threads: int = 4) -> list[str]:
    return [
        *(sys.executable, "-m", "gunicorn", "config.wsgi:application"),
        f"--bind={host}:{port}",
        "--worker-class=gthread",
        f"--workers={processes}",
        f"--threads={threads}",
        "--graceful-timeout=4",
        # Longer than proxies and clients keep an idle connection: whoever sends into one that is
        # closed at that moment cannot know what became of it.
        "--keep-alive=75",
        # The application is imported once and shared: half the start and less memory.
        "--preload",
        "--no-control-socket",
    ]


def worker(name: str, *, processes: int = 2, also: str = "") -> list[str]:
    """A worker by its name in QUEUES; `also` tells a second one of the same kind apart."""
    return [
        *(sys.executable, "-m", "celery", "--app=config", "worker"),
        f"--hostname={name.partition(':')[2]}{also}@%h",
        f"--queues={','.join(QUEUES[name])}",
        f"--concurrency={processes}",
        # They are the main causes of workers that live on and take no more messages.
        "--without-gossip",
        "--without-mingle",
        "--loglevel=INFO",
    ]


def beat() -> list[str]:
    return [
        *(sys.executable, "-m", "celery", "--app=config", "beat"),
        "--loglevel=INFO",
        "--pidfile=",
    ]


# On SIGTERM a worker gives its task some seconds, then hands the message back and leaves.
WORKER_ENVIRONMENT = {"REMAP_SIGTERM": "SIGQUIT"}
