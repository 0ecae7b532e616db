"""Runs without which a comparison cannot be made."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from fitss_abm.study.many import Job, Outcome
from fitss_abm.study.many_workers import DIED

_NAMED = 10
_UNGUARDED = (
    'where a script calls this, it must do so under `if __name__ == "__main__":`, for each worker imports the script'
)


class MissingRuns(RuntimeError):
    """Some runs failed. `failed`: the reason by run. `loss`: what cannot be done without them."""

    def __init__(self, failed: Mapping[str, str], wanted: int, *, loss: str = "so nothing is compared") -> None:
        self.failed = dict(failed)
        lines = [f"{key}: {reason}" for key, reason in list(self.failed.items())[:_NAMED]]
        more = [f"and {len(failed) - _NAMED} more"] if len(failed) > _NAMED else []
        if len(self.failed) == wanted and set(self.failed.values()) == {DIED}:
            more.append(_UNGUARDED)
        super().__init__("\n  ".join([f"{len(failed)} of {wanted} runs failed, {loss}:", *lines, *more]))


def all_of(jobs: Sequence[Job], run: Callable[..., Outcome], **how: Any) -> dict[str, Any]:
    """The results of the jobs by key. Raises MissingRuns unless all have one."""
    outcome = run(jobs, **how)
    missing = {job.key: outcome.failed.get(job.key, "did not end") for job in jobs if job.key not in outcome.results}
    if missing:
        raise MissingRuns(missing, len(jobs))
    return outcome.results
