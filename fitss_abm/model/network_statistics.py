"""What personal networks look like: the statistics that published surveys report, of a network as it stands.

Confidants are ties of at least the confidant strength (the General Social Survey's important-matters name generator;
McPherson 2006, doi:10.1177/000312240607100301); the support clique and the sympathy group (Dunbar 2020,
doi:10.1098/rspa.2020.0446) are ties of at least the clique strength and all ties.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import prange
from numpy.typing import NDArray

from fitss_abm.model.caching import compiled
from fitss_abm.model.network import WEIGHT_UNIT, Network
from fitss_abm.model.network_parameters import NetworkParameters

DENSITY_SAMPLE = 20_000
"""Adults whose ego network's density is taken: standard error about 0.003."""

_YEAR = 365.25


@compiled(parallel=True)
def ego_density(start: Any, neighbour: Any, weight: Any, egos: Any, least: int, density: Any) -> None:
    """Share of pairs of confidants (weight >= least) who are tied to each other; -1 where there are fewer than two.

    egos (e,) slots; density (e,) float64 is filled.
    """
    for e in prange(len(egos)):
        first, last = start[egos[e]], start[egos[e] + 1]
        pairs = tied = 0
        for i in range(first, last):
            if weight[i] < least:
                continue
            one = neighbour[i]
            for j in range(first, i):
                if weight[j] < least:
                    continue
                pairs += 1
                for k in range(start[one], start[one + 1]):
                    if neighbour[k] == neighbour[j] and weight[k] > 0:
                        tied += 1
                        break
        density[e] = tied / pairs if pairs > 0 else -1.0


COMPILED = (ego_density,)


def statistics(
    network: Network,
    birth_day: NDArray[np.int32],
    day: int,
    female: NDArray[np.bool_],
    *,
    minimum_age: float = 18,
    parameters: NetworkParameters | None = None,
) -> dict[str, float]:
    """Personal networks of everybody aged `minimum_age` years or more; alters count at any age.

    confidants, support_clique, sympathy_group: mean persons; zero_confidants, no_ties, partnered_25_75: %; density:
    mean over egos with two confidants or more; same_sex: share of confidants; age_correlation: Pearson's, over ties to
    confidants; degree_sd: persons. NaN where nobody qualifies.
    """
    p = parameters or NetworkParameters()
    confidant, clique = (max(1, round(each * WEIGHT_UNIT)) for each in (p.confidant_strength, p.clique_strength))
    ego = np.repeat(np.arange(network.people), np.diff(network.start))
    age = (day - birth_day) / _YEAR
    adult = age >= minimum_age
    adults = np.flatnonzero(adult)

    def per_adult(chosen: NDArray[np.bool_]) -> NDArray[np.int64]:
        return np.bincount(ego[chosen], minlength=network.people)[adults]

    close = network.weight >= confidant
    degree, confidants = per_adult(network.weight > 0), per_adult(close)
    chosen = close & adult[ego]
    a, b = ego[chosen], network.neighbour[chosen]
    density = np.empty(min(len(adults), DENSITY_SAMPLE))
    ego_density(network.start, network.neighbour, network.weight, adults[: len(density)], confidant, density)
    middle = np.flatnonzero((age >= 25) & (age < 75))
    partners = np.bincount(ego[(network.layer == 0) & (network.weight > 0)], minlength=network.people)
    return {
        "confidants": _mean(confidants),
        "zero_confidants": 100 * _mean(confidants == 0),
        "support_clique": _mean(per_adult(network.weight >= clique)),
        "sympathy_group": _mean(degree),
        "density": _mean(density[density >= 0]),
        "same_sex": _mean(female[a] == female[b]),
        "age_correlation": float(np.corrcoef(age[a], age[b])[0, 1]) if len(a) > 1 else float("nan"),
        "degree_sd": float(degree.std()) if len(degree) else float("nan"),
        "no_ties": 100 * _mean(degree == 0),
        "partnered_25_75": 100 * _mean(partners[middle] > 0),
    }


def _mean(values: NDArray[Any]) -> float:
    return float(values.mean()) if len(values) else float("nan")
