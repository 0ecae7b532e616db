"""The mechanisms, one a file, and DAY: the order in which they run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from fitss_abm.errors import Faults
from fitss_abm.model.rules.balance import alert, soothing, threat
from fitss_abm.model.rules.bereavement import past_bereavements
from fitss_abm.model.rules.care import care
from fitss_abm.model.rules.case_definitions import case_definitions
from fitss_abm.model.rules.events import chronic_stressors, life_events
from fitss_abm.model.rules.exposure import exposure
from fitss_abm.model.rules.life import ageing, mortality, susceptibilities, traits
from fitss_abm.model.rules.onset import burden, onset_and_remission, record
from fitss_abm.model.rules.rule import ENGINE_WORDS, Rule, rule
from fitss_abm.model.rules.sensitization import sensitization
from fitss_abm.model.rules.support import offer, support, withdrawal
from fitss_abm.model.rules.symptoms import body_map, sleep, somatic_severity

__all__ = ["DAY", "ENGINE_WORDS", "Day", "Rule", "rule"]


class Day:
    """An ordered list of rules. Immutable: `replace`, `after` and `without` give new ones."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self.rules = tuple(rules)

    def __iter__(self) -> Iterator[Rule]:
        return iter(self.rules)

    def __len__(self) -> int:
        return len(self.rules)

    def _index(self, name: str) -> int:
        names = [known.name for known in self.rules]
        if name not in names:
            faults = Faults()
            faults.unknown("rule", name, "rule", names)
            faults.raise_if_any()
        return names.index(name)

    def replace(self, name: str, rule: Rule) -> Day:
        """The same day with one rule replaced."""
        k = self._index(name)
        return Day((*self.rules[:k], rule, *self.rules[k + 1 :]))

    def after(self, name: str, rule: Rule) -> Day:
        """The same day with a rule added right after another."""
        k = self._index(name)
        return Day((*self.rules[: k + 1], rule, *self.rules[k + 1 :]))

    def without(self, name: str) -> Day:
        """The same day without a rule."""
        k = self._index(name)
        return Day((*self.rules[:k], *self.rules[k + 1 :]))


DAY = Day(
    (
        traits,
        susceptibilities,
        ageing,
        chronic_stressors,
        life_events,
        past_bereavements,
        exposure,
        support,
        threat,
        soothing,
        alert,
        sensitization,
        sleep,
        body_map,
        somatic_severity,
        case_definitions,
        care,
        onset_and_remission,
        record,
        burden,
        withdrawal,
        offer,
        mortality,
    )
)
