"""Kill workers, beat and broker while runs are computed, and compare what comes out.

Each round publishes a definition of its own whose values are known beforehand, since it says the
same in other words. Its run is disturbed at random moments; it must end by itself with exactly
the rows of the undisturbed run, with nothing left over.

    campaign(rig, shop, kills=100)
"""

import random
import time
from dataclasses import dataclass, field
from functools import partial

from catalog.models import Metric
from measurement.choices import BackfillStatus, WindowState
from measurement.models import Backfill, Observation, StagedValue
from measurement.services.turns import work_off
from tests.measurement.catalog import Shop, sales_spec
from tests.rig import Rig

WORKER, SWEEPER = "worker:backfill", "worker:default"
ENVIRONMENT = {
    "WINDOW_SOURCE_ROWS": "2",
    "WINDOW_LEASE_SECONDS": "2",
    # Kills count as attempts; a window that was under way at each of them must not be given up.
    "WINDOW_ATTEMPTS": "30",
    "WINDOW_RETRY_SECONDS": "0.2",
    "SWEEP_SECONDS": "1",
    "TURN_SECONDS": "1",
    "LOG_LEVEL": "WARNING",
}
# What is killed, and how often among the others.
VICTIMS = {WORKER: 10, "child": 4, "main alone": 2, SWEEPER: 2, "beat": 2, "valkey": 2}
KILLS_A_RUN = 4
RESUMED_WITHIN = 120


@dataclass
class Report:
    """What a campaign did. Every run of it ended with the rows of the undisturbed one."""

    seed: int
    kills: dict[str, int] = field(default_factory=dict)
    runs: int = 0
    longest: float = 0.0

    @property
    def total(self) -> int:
        return sum(self.kills.values())

    def __str__(self):
        kinds = ", ".join(f"{count} x {name}" for name, count in sorted(self.kills.items()))
        return (
            f"{self.total} kills ({kinds}) in {self.runs} runs, all with the rows of the "
            f"undisturbed run; the longest needed {self.longest:.1f} s (seed {self.seed})"
        )


def campaign(rig: Rig, shop: Shop, *, kills: int, seed: int | None = None) -> Report:
    """Disturb runs until so many processes have been killed. `rig` and `shop` are fresh."""
    report = Report(seed if seed is not None else random.SystemRandom().randrange(10**6))
    dice = random.Random(report.seed)  # noqa: S311 - moments of kills, no secrets
    shop.publish("sales", sales_spec())
    undisturbed = rows_of(work_off(shop.plan("sales")))
    assert undisturbed
    rig.start(WORKER, SWEEPER, "beat", env=ENVIRONMENT | {"ETALON_NOW": shop.now})
    while report.total < kills:
        run = _publish_in_other_words(shop, report.runs)
        started = time.monotonic()
        _disturb(rig, run, dice, report, min(KILLS_A_RUN, kills - report.total))
        rig.wait(partial(_ended, run), RESUMED_WITHIN, what=f"{run} ended (seed {report.seed})")
        report.longest = max(report.longest, time.monotonic() - started)
        report.runs += 1
        _compare(run, undisturbed, report)
    return report


def rows_of(run: Backfill) -> list[tuple]:
    """What readers see of a run's resolution."""
    rows = Observation.objects.filter(
        series__resolution_hash=run.targets.get().resolution_hash, known_until=None
    )
    names = ("series__grain", "series__dimension", "slice__member", "period", "value")
    return sorted(rows.values_list(*names), key=str)


def _publish_in_other_words(shop: Shop, number: int) -> Backfill:
    shop.publish("sales", sales_spec(filters=[f"buyer > {-1 - number}"]), treatment="restate")
    return shop.plan("sales")


def _disturb(rig: Rig, run: Backfill, dice: random.Random, report: Report, kills: int) -> None:
    rig.wait(partial(_begun, run), RESUMED_WITHIN, pause=0.01, what=f"{run} began")
    for _ in range(kills):
        time.sleep(dice.uniform(0.0, 0.6))
        if _ended(run):
            return
        victim = dice.choices(list(VICTIMS), list(VICTIMS.values()))[0]
        if victim == "child":
            rig.kill9_child(WORKER)
        elif victim == "main alone":
            rig.kill9(WORKER, alone=True)
            rig.kill9(WORKER)
            rig.start(WORKER)
        else:
            rig.kill9(victim)
            rig.start(victim)
        report.kills[victim] = report.kills.get(victim, 0) + 1


def _begun(run: Backfill) -> bool:
    return _ended(run) or run.windows.filter(state=WindowState.DONE).exists()


def _ended(run: Backfill) -> bool:
    run.refresh_from_db()
    return run.status not in (BackfillStatus.PLANNED, BackfillStatus.RUNNING)


def _compare(run: Backfill, undisturbed: list[tuple], report: Report) -> None:
    where = f"{run} (seed {report.seed})"
    assert (run.status, run.error) == (BackfillStatus.DONE, ""), where
    assert rows_of(run) == undisturbed, where
    closed = Observation.objects.filter(backfill=run).exclude(known_until=None)
    assert not closed.exists(), where
    assert not StagedValue.objects.filter(backfill_id=run.pk).exists(), where
    assert run.history.filter(status=BackfillStatus.DONE).count() == 1, where
    metric = Metric.objects.get(key="sales")
    assert metric.served_resolution == metric.current_resolution, where
