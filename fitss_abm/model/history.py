"""The pre-history: everybody lives from 12 to their present age, so that a run begins where it would be after decades.

Living every day of every life would cost several times the run. So each person's life is gone through in the same number of
simulated days, in three stages: the distant past at a high pace, the last decade more slowly, the last two years day by day.
In a day at pace p the fast variables (threat, soothing, alert) make one ordinary day, while the slow ones (sensitization,
conditions, life events, stressors, age) advance by p days with exact probabilities; alert and soothing follow their sources
faster, so that they do not miss the now shorter peaks of life events. Ties are those of the first day; alters go through
the same share of their own lives. What remains of an error of the early stages is forgotten in the later ones, whose length exceeds
the memory of sensitization (1 / decay = 2.7 years). `docs/validation.md` shows the drift that is left.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from fitss_abm.model.engine import IN_PREHISTORY, Bindings, Clock, Engine

QUARTER = 91  # days between renewals of the network and of the record of conditions held
_YEAR = 365.25
_EVERYTHING = 1e9  # days of life: more than anybody has


@dataclass(frozen=True)
class Stage:
    """`span` days of everybody's life, those before the last `later` ones, gone through in `days` simulated days."""

    later: float
    span: float
    days: int


STAGES = (
    Stage(later=10 * _YEAR, span=_EVERYTHING, days=490),
    Stage(later=2 * _YEAR, span=8 * _YEAR, days=770),
    Stage(later=0.0, span=2 * _YEAR, days=728),
)
DAYS = sum(stage.days for stage in STAGES)  # even, so that the words of the last day are where day 0 reads them


def live_through(
    engine: Engine, bindings: Bindings, *, after_quarter: Callable[[int], None], block: int, threads: int
) -> None:
    """Walk everybody through the stages. `after_quarter` is told how many simulated days are done, every 91 days of a stage."""
    done = 0
    for stage in STAGES:
        walked = 0
        while walked < stage.days:
            days = min(QUARTER, stage.days - walked)
            clock = Clock(IN_PREHISTORY + done, -1, stage.later, stage.span, float(stage.days))
            engine.walk(bindings, clock, days, block=block, threads=threads)
            walked += days
            done += days
            after_quarter(done)
