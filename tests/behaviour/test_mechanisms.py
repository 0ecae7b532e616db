"""Each mechanism does what its equation says, and what has a closed form agrees with it.

Arms share their luck, so most comparisons are exact or paired. Tolerances of the others are four standard errors of the
closed form itself (two-sided chance 6e-5 each); a mechanism that is broken moves them by far more.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from fitss_abm.errors import Faults
from fitss_abm.model.conditions import Catalogue, shipped
from fitss_abm.model.demography import load
from fitss_abm.model.network import Layer, Network
from fitss_abm.model.parameters import Parameters
from fitss_abm.model.simulation import Change, Seeds, Simulation

PEOPLE = 2000
YEAR = 365.25
GERMANY = load("Germany")
NO_STRESS = {
    "hassle_weight": 0.0, "life_event_rate": 0.0, "bereavement_severity": 0.0, "job_strain_level": 0.0, "bullying_level": 0.0,
    "caregiving_level": 0.0, "poverty_level": 0.0, "sensory_weight": 0.0, "burden_weight": 0.0,
}  # fmt: skip


def lived(days: int = 0, people: int = PEOPLE, **arguments: Any) -> Simulation:
    made = Simulation(people=people, demography=GERMANY, seeds=Seeds(5), threads=1, **arguments)
    made.prepare()
    made.advance(days)
    return made


def under(days: int = 0, **parameters: float) -> Simulation:
    return lived(days, parameters=Parameters(**parameters))


@pytest.fixture(scope="module")
def usual() -> Simulation:
    """The shipped world, after two years."""
    return lived(730)


def mean(simulation: Simulation, column: str) -> float:
    return float(simulation.population[column].mean(dtype=np.float64))


def holds(simulation: Simulation, condition: str, column: str = "conditions") -> NDArray[np.bool_]:
    return (simulation.population[column] >> np.uint32(simulation.catalogue.bit[condition]) & 1).astype(bool)


def burden_of_illness(simulation: Simulation) -> float:
    """Mean number of conditions of the family."""
    return sum(float(holds(simulation, id).mean()) for id in simulation.catalogue.family)


def paired_z(low: NDArray[Any], high: NDArray[Any]) -> float:
    """Mean difference of the same people in two arms, in standard errors."""
    difference = high.astype(np.float64) - low.astype(np.float64)
    return float(difference.mean() / (difference.std() / np.sqrt(difference.size)))


def changed(entries: dict[str, object]) -> Catalogue:
    faults = Faults()
    catalogue = shipped().with_entries(entries, faults)
    faults.raise_if_any()
    return catalogue


# Threat, soothing, alert, sensitization


def test_without_stress_threat_dies_out_and_nothing_is_sensitized() -> None:
    calm = under(30, **NO_STRESS, peripheral_weight=0.0)
    assert calm.population["stress"].max() == 0.0
    founders = calm.population["generation"] == 0  # newcomers of these days bring the threat that everybody begins with
    assert calm.population["threat"][founders].max() < 1e-6
    assert calm.population["alert"][founders].max() < 1e-6
    assert calm.population["sensitization"].max() < 1e-3


def test_without_stress_sensitization_only_falls() -> None:
    made = lived(changes=[Change(day=0, parameters=Parameters(**NO_STRESS, peripheral_weight=0.0))])
    made.advance(1200)  # what life events left fades with a memory of half a year; then threat, then alert
    before = made.population["sensitization"].copy()
    lives = made.population["generation"].copy()
    made.advance(100)
    same = (made.population["generation"] == lives) & (lives == 0)
    expected = before / (1.0 + Parameters()["sensitization_decay"]) ** 100
    assert made.population["alert"][same].max() < 1e-3
    assert before[same].max() > 0.1
    assert np.allclose(made.population["sensitization"][same], expected[same], atol=1e-4)


@pytest.mark.parametrize(
    "source", ["hassle_weight", "life_event_rate", "job_strain_level", "poverty_level", "bereavement_severity"]
)
def test_any_stress_alone_makes_threat(source: str) -> None:
    assert mean(under(30, **(NO_STRESS | {source: Parameters()[source]})), "threat") > 1e-3


def test_more_adversity_never_means_less_illness() -> None:
    few, many = under(adversity_continuation=0.3), under(adversity_continuation=0.8)
    one, other = few.population, many.population
    assert np.all(one["adversity"] <= other["adversity"])
    assert np.all(one["threat_reactivity"] <= other["threat_reactivity"])
    assert np.all(one["soothing_capacity"] >= other["soothing_capacity"])
    assert paired_z(one["sensitization"], other["sensitization"]) > 4
    assert paired_z(one["alert_mean"], other["alert_mean"]) > 4
    assert burden_of_illness(many) > burden_of_illness(few)
    for id in few.catalogue.family:
        fewer, more = int((holds(few, id) & ~holds(many, id)).sum()), int((holds(many, id) & ~holds(few, id)).sum())
        assert stats.binom.cdf(more, fewer + more, 0.5) > 1e-4, id  # McNemar's exact test, of falling only


def test_without_ties_and_without_baseline_there_is_no_support() -> None:
    alone = lived(30, network=Network.empty(people=PEOPLE), parameters=Parameters(support_baseline=0.0))
    assert np.all(alone.population["felt_support"] == 0.0)
    assert mean(alone, "loneliness") > 0.8 * Parameters()["support_need"]


def test_without_ties_support_is_the_baseline_as_felt() -> None:
    alone = lived(30, network=Network.empty(people=PEOPLE))
    expected = alone.population["support_uptake"] * np.float32(alone.parameters["support_baseline"])
    assert np.allclose(alone.population["felt_support"], expected, rtol=1e-5)


def test_support_that_is_worth_more_never_means_more_alert() -> None:
    worthless, usual, dear = (under(support_weight=worth) for worth in (0.0, 0.5, 1.0))
    for less, more in ((worthless, usual), (usual, dear)):
        assert paired_z(less.population["alert_mean"], more.population["alert_mean"]) < -4
        assert paired_z(less.population["soothing"], more.population["soothing"]) > 4
        assert np.mean(more.population["alert_mean"] > less.population["alert_mean"] + 0.02) < 0.01


def test_without_feedback_of_sensitization_there_is_less_threat(usual: Simulation) -> None:
    without = under(730, threat_sensitization_gain=0.0, sensory_weight=0.0)
    assert paired_z(without.population["threat"], usual.population["threat"]) > 4
    # Single people may fare worse: one word of luck both begins and ends a condition, so their episodes differ.
    assert np.mean(without.population["threat"] > usual.population["threat"] * 1.001 + 1e-3) < 0.05


def test_alert_blunts_soothing(usual: Simulation) -> None:
    assert paired_z(usual.population["soothing"], under(730, alert_blunts_soothing=0.0).population["soothing"]) > 4


def test_poor_sleep_slows_the_recovery_of_threat() -> None:
    effect = [
        lived(1, changes=[Change(day=0, parameters=Parameters(sleep_recovery_effect=size))]).population
        for size in (0.0, 1.0)
    ]
    # Those whose sleep was assessed on day 0 got that after threat: only the others are compared.
    known = (np.arange(PEOPLE) // 64) % 7 != 0
    without, with_effect = (population["threat"][known].astype(np.float64) for population in effect)
    worse = effect[0]["poor_sleep"][known] - Parameters()["sleep_reference"]
    clear = (np.abs(worse) > 0.02) & (without > 0.01)
    assert 0.2 < np.mean(worse > 0) < 0.8
    assert np.array_equal(np.sign(with_effect - without)[clear], np.sign(worse)[clear])


def test_alert_and_conditions_disturb_sleep(usual: Simulation) -> None:
    for name in ("sleep_alert", "sleep_condition"):
        assert paired_z(under(730, **{name: 0.0}).population["poor_sleep"], usual.population["poor_sleep"]) > 4


def test_lasting_alert_loosens_ties(usual: Simulation) -> None:
    firm = under(60, withdrawal_depth=0.0)
    assert np.all(firm.population["openness"] == 1.0)
    assert np.corrcoef(usual.population["openness"], usual.population["alert_mean"])[0, 1] < -0.5
    # So fast that openness is what alert was at the last weekly step, and alert's mean so slow that it hardly moves in a week.
    quick = under(60, withdrawal_depth=1.0, withdrawal_rate=1.0, alert_memory_days=400.0).population
    here = quick["generation"] == 0
    assert np.allclose(quick["openness"][here], 1.0 - quick["alert_mean"][here], atol=0.02)


# Conditions and what begins them


def test_no_trauma_no_ptsd_and_no_injury_no_crps() -> None:
    often = changed({"crps": {"onset_per_1000_person_years": 200.0}, "ptsd": {"onset_per_1000_person_years": 500.0}})
    with_both = lived(catalogue=often)
    assert holds(with_both, "ptsd", "ever").sum() > 20
    assert holds(with_both, "crps", "ever").sum() > 20
    for cause, condition, other in (("trauma_share", "ptsd", "crps"), ("injury_rate", "crps", "ptsd")):
        without = lived(catalogue=often, parameters=Parameters(**{cause: 0.0}))
        assert holds(without, condition, "ever").sum() == 0
        assert holds(without, other, "ever").sum() > 20


def test_infections_raise_what_follows_them() -> None:
    def ever(rate: float) -> int:
        made = under(infection_rate=rate)
        return int(holds(made, "irritable_bowel_syndrome", "ever").sum())

    never, often = ever(0.0), ever(2.0)
    # With an infection every half year the window of half a year is open 63 % of the time, at a ratio of 4.2.
    assert often > 1.5 * never > 0


def test_dysmenorrhoea_ends_by_menopause(usual: Simulation) -> None:
    population = usual.population
    held = holds(usual, "primary_dysmenorrhoea")
    past = population["age"] >= population["menopause_age"]
    assert held.sum() > 20
    assert (population["female"].astype(bool) & past).sum() > 200
    assert not np.any(held & past)
    assert np.any(holds(usual, "primary_dysmenorrhoea", "ever") & past)


def test_conditions_of_women_are_never_mens(usual: Simulation) -> None:
    men = usual.population["female"] == 0
    only_women = [condition.id for condition in usual.catalogue.conditions if condition.sex == "female"]
    assert len(only_women) == 3
    for id in only_women:
        assert not np.any(holds(usual, id, "ever") & men)
        assert np.any(holds(usual, id, "ever") & ~men)


def test_nobody_has_a_condition_before_its_age(usual: Simulation) -> None:
    made = lived(catalogue=changed({"chronic_low_back_pain": {"age_from": 40.0}}))
    young = made.population["age"] < 40
    assert not np.any(holds(made, "chronic_low_back_pain", "ever") & young)
    assert np.any(holds(usual, "chronic_low_back_pain", "ever") & (usual.population["age"] < 40))


# Deaths


def deaths(simulation: Simulation, days: int) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    simulation.advance(days, on_death=lambda slots: found.extend((simulation.day, int(slot)) for slot in slots))
    return found


def test_the_same_people_die_on_the_same_days_in_every_arm() -> None:
    arms: list[dict[str, Any]] = [
        {}, {"parameters": Parameters(**NO_STRESS)}, {"parameters": Parameters(support_weight=0.0, life_event_rate=5.0)},
        {"slow_days": 1}, {"catalogue": changed({"ptsd": {"burden": 1.0}, "crps": {"onset_per_1000_person_years": 900.0}})},
    ]  # fmt: skip
    worlds = [lived(**arm) for arm in arms]
    died = [deaths(world, 365) for world in worlds]
    assert len(died[0]) > 10
    for world, dead in zip(worlds, died, strict=True):
        assert dead == died[0]
        assert np.array_equal(world.population["birth_day"], worlds[0].population["birth_day"])
        assert np.array_equal(world.network.neighbour, worlds[0].network.neighbour)
        assert np.array_equal(world.network.weight, worlds[0].network.weight)


def test_a_death_bereaves_the_partner_fully_a_close_friend_by_half_and_others_not() -> None:
    # Person i has a partner i + 1 (i even), a close friend i + 2 and somebody remote at i + 10.
    people = np.arange(PEOPLE)
    partner, close, remote = people[:-1:2], people[:-2], people[:-10]
    network = Network.from_edges(
        people=PEOPLE,
        source=np.concatenate([partner, close, remote]),
        target=np.concatenate([partner + 1, close + 2, remote + 10]),
        weight=np.repeat([1.0, 2.0, 0.1], [partner.size, close.size, remote.size]),
        layer=np.repeat([Layer.PARTNER, Layer.FRIEND, Layer.WORK], [partner.size, close.size, remote.size]),
    )
    severity = 4.0
    sad, untouched = (
        lived(network=network, parameters=Parameters(bereavement_severity=severity), changes=changes)
        for changes in ([], [Change(day=0, parameters=Parameters(bereavement_severity=0.0))])
    )
    first: list[int] = []
    while not first:
        sad.advance(1, on_death=lambda slots: first.extend(slots.tolist()))
        untouched.advance(1)
    expected = np.zeros(PEOPLE)
    for dead in first:
        expected[dead + 1 if dead % 2 == 0 else dead - 1] += severity
        for friend in (dead - 2, dead + 2):
            expected[friend] += severity / 2
    expected[first] = 0.0
    grief = sad.population["event_load"].astype(np.float64) - untouched.population["event_load"]
    assert np.allclose(grief, expected, atol=1e-4)


# Closed forms


@pytest.fixture(scope="module")
def large() -> Simulation:
    """20,000 people on the first day, without bereavements: exact stationary laws hold."""
    return lived(people=20_000, parameters=Parameters(bereavement_severity=0.0))


def z_of_count(observed: NDArray[np.bool_], probability: NDArray[np.float64]) -> float:
    """Observed less expected number in standard errors, of independent people each with a probability of their own."""
    return float((observed.sum() - probability.sum()) / np.sqrt((probability * (1 - probability)).sum()))


@pytest.mark.parametrize(
    ("bit", "name", "young", "old"),
    [(0, "job_strain", 18, 67), (1, "bullying", 12, 67), (2, "caregiving", 35, 80), (3, "poverty", 12, 200)],
)
def test_stressors_are_as_common_as_their_rates_say(
    large: Simulation, bit: int, name: str, young: float, old: float
) -> None:
    on, off = large.parameters[f"{name}_onset"], large.parameters[f"{name}_end"]
    age, held = large.population["age"].astype(np.float64), large.population["stressors"] >> bit & 1 == 1
    # P(on) t years after the first age = on / (on + off) (1 - exp(-(on + off) t)). The pre-history's early steps are months
    # long, so the first three years of eligibility and the week about the last age are left out.
    settled = (age > young + 3) & (age < old - 0.1)
    expected = on / (on + off) * -np.expm1(-(on + off) * (age - young))
    assert abs(z_of_count(held[settled], expected[settled])) < 4
    outside = (age < young - 0.1) | (age > old + 0.1)
    assert not np.any(held[outside])
    for low in range(int(young) + 3, min(int(old), 90), 15):
        band = settled & (age >= low) & (age < low + 15)
        assert abs(z_of_count(held[band], expected[band])) < 4, low


def test_the_mean_load_of_life_events_is_rate_times_severity_over_decay(large: Simulation) -> None:
    p = large.parameters
    z = large.population["personal"][4] / 24.0
    rate = (
        p["life_event_rate"]
        / YEAR
        * np.exp(p["event_proneness_sd"] * z + p["life_event_per_adversity"] * large.population["adversity"])
    )
    lived_days = (large.population["age"].astype(np.float64) - 12) * YEAR
    # Traumatic events weigh more; mean and mean square of a log-normal severity; those who lived for less than some memories
    # have gathered less. Twice the decay for the variance of shot noise.
    share, ratio = p["trauma_share"], p["trauma_severity"]
    size = p["life_event_severity"] * (1 + share * (ratio - 1))
    square = p["life_event_severity"] ** 2 * np.exp(p["life_event_severity_sd"] ** 2) * (1 + share * (ratio**2 - 1))
    expected = rate * size / p["life_event_decay"] * -np.expm1(-p["life_event_decay"] * lived_days)
    variance = rate * square / (2 * p["life_event_decay"])
    z_score = (large.population["event_load"].astype(np.float64) - expected).sum() / np.sqrt(variance.sum())
    assert abs(z_score) < 4


def hassle_rates(simulation: Simulation) -> NDArray[np.float64]:
    p, who = simulation.parameters, simulation.population
    z, sd = who["personal"][5] / 24.0, p["hassle_rate_sd"]
    by_age = p["hassle_rate_per_decade"] * (who["age"].astype(np.float64) - 45) / 10
    rates: NDArray[np.float64] = p["hassle_rate"] * np.exp(
        sd * (z - sd / 2) + p["hassle_rate_female"] * (who["female"] - 0.5) + by_age
    )
    return rates


def test_hassles_come_at_their_rate() -> None:
    made = lived(people=5000, parameters=Parameters(bereavement_severity=0.0))
    observed, expected, variance, days = 0.0, 0.0, 0.0, 20
    for _ in range(days):
        made.advance(1)
        some = -np.expm1(-hassle_rates(made))
        observed += float((made.population["stressors"] >> 7).sum())
        expected += some.sum()
        variance += (some * (1 - some)).sum()
    assert abs(observed - expected) < 4 * np.sqrt(variance)
    # Share of days with a hassle, adults of the usual age: about 40 % (Almeida 2002), 1 - exp(-0.53) = 41 % at the mean rate.
    assert -np.expm1(-Parameters()["hassle_rate"]) == pytest.approx(0.41, abs=0.03)
    assert 0.30 < observed / (days * made.people) < 0.46


def test_the_mean_stress_of_hassles_is_their_rate_and_weights() -> None:
    only = NO_STRESS | {"hassle_weight": 1.0}
    made = lived(people=5000, parameters=Parameters(**only))
    p = made.parameters
    share, habit, weight = p["hassle_interpersonal_share"], p["hassle_habituation"], p["hassle_interpersonal_severity"]
    total, expected, variance = 0.0, 0.0, 0.0
    for _ in range(10):
        before = made.population["stressors"] >> 7 == 1
        made.advance(1)
        rate = hassle_rates(made)
        felt = np.where(before, 1 - habit, 1.0)
        total += float(made.population["stress"].astype(np.float64).sum())
        expected += (rate * ((1 - share) * felt + share * weight)).sum()
        variance += (
            2 * rate * ((1 - share) * felt**2 + share * weight**2)
        ).sum()  # E X^2 = 2 of an exponential severity
    assert abs(total - expected) < 4 * np.sqrt(variance)


def test_variation_is_a_stationary_ar_1(large: Simulation) -> None:
    n = large.people
    old_enough = large.population["age"] > 13
    before = large.population["variation"][old_enough].astype(np.float64)
    assert abs(before.mean()) < 4 / np.sqrt(n)
    assert abs(before.var() - 1) < 4 * np.sqrt(2 / before.size)


def test_variation_forgets_at_its_rate() -> None:
    made = lived(people=5000)
    before = made.population["variation"].astype(np.float64).copy()
    made.advance(70)
    same = made.population["generation"] == 0
    after = made.population["variation"].astype(np.float64)
    expected = np.exp(-70 / made.parameters["variation_days"])
    found = np.corrcoef(before[same], after[same])[0, 1]
    assert abs(found - expected) < 4 * (1 - expected**2) / np.sqrt(same.sum())


def test_deaths_follow_the_life_table(large: Simulation) -> None:
    """A year of deaths by sex and ten-year band, against the demography's own table, week by week."""
    made = large
    died = np.zeros((2, 10))
    expected = np.zeros((2, 10))
    start = made.day
    for _ in range(52):
        age = (made.day + 3.5 - made.population["birth_day"]) / YEAR
        sex = 1 - made.population["female"].astype(np.int64)
        band = np.minimum(age // 10, 9).astype(np.int64)
        risk = -np.expm1(-GERMANY.death_rate[sex, GERMANY.band_of(age)] * 7 / YEAR)
        np.add.at(expected, (sex, band), risk)

        def count(slots: NDArray[np.int64], sex: NDArray[Any] = sex, band: NDArray[Any] = band) -> None:
            np.add.at(died, (sex[slots], band[slots]), 1)

        made.advance(7, on_death=count)
    assert made.day == start + 364
    enough = expected > 5
    assert enough.sum() >= 8
    chi = float(((died - expected)[enough] ** 2 / expected[enough]).sum())
    assert chi < stats.chi2.ppf(1 - 1e-4, int(enough.sum()))
    assert abs(died.sum() - expected.sum()) < 4 * np.sqrt(expected.sum())
    assert died[expected < 0.5].sum() <= 4


@pytest.fixture(scope="module")
def newborn() -> Simulation:
    """200,000 people with their traits, before any life."""
    people = 200_000
    made = Simulation(
        people=people, demography=GERMANY, seeds=Seeds(5), threads=1, network=Network.empty(people=people)
    )
    made.engine.born(made._bindings)
    return made


@pytest.mark.parametrize("female", [0, 1])
def test_adversity_is_geometric(newborn: Simulation, female: int) -> None:
    p = newborn.parameters
    go_on = p["adversity_continuation"] + p["adversity_continuation_female"] * female
    adversity = newborn.population["adversity"][newborn.population["female"] == female]
    shares = np.append(go_on ** np.arange(10) * (1 - go_on), go_on**10)  # 0 to 9, and ten or more
    counts = np.bincount(adversity, minlength=11)
    assert stats.chisquare(counts, shares * counts.sum()).pvalue > 1e-4


TRAITS: list[tuple[str, str, Callable[[Parameters, int, NDArray[Any]], Any]]] = [
    ("central_gain", "gain_sd", lambda p, woman, adversity: p["gain_female"] * woman),
    (
        "threat_reactivity",
        "reactivity_sd",
        lambda p, woman, adversity: p["reactivity_female"] * woman + p["reactivity_per_adversity"] * adversity,
    ),
    (
        "soothing_capacity",
        "soothing_capacity_sd",
        lambda p, woman, adversity: (
            np.log(p["soothing_capacity_median"]) + p["soothing_capacity_per_adversity"] * adversity
        ),
    ),
    ("support_uptake", "uptake_sd", lambda p, woman, adversity: p["uptake_female"] * (woman - 0.5)),
    ("giving", "giving_sd", lambda p, woman, adversity: p["giving_female"] * (woman - 0.5)),
    ("sensory_sensitivity", "sensory_sensitivity_sd", lambda p, woman, adversity: 0.0),
]


@pytest.mark.parametrize(("name", "sd", "median"), TRAITS, ids=[name for name, _sd, _median in TRAITS])
def test_traits_are_log_normal_about_their_medians(newborn: Simulation, name: str, sd: str, median: Any) -> None:
    p, who = newborn.parameters, newborn.population
    for woman in (0, 1):
        chosen = who["female"] == woman
        adversity = who["adversity"][chosen].astype(np.float64)
        z = (np.log(who[name][chosen].astype(np.float64)) - median(p, woman, adversity)) / p[sd]
        assert stats.kstest(z, "norm").pvalue > 1e-4
        assert abs(z.mean()) < 4 / np.sqrt(z.size)
        assert abs(z.var() - 1) < 4 * np.sqrt(2 / z.size)


def test_susceptibilities_correlate_through_shared_regions(newborn: Simulation) -> None:
    hazards = [condition for condition in newborn.catalogue.conditions if condition.has_hazard]
    held = newborn.population["susceptibility"].astype(np.float64)
    found = np.corrcoef(held)
    for a, one in enumerate(hazards):
        for b, other in enumerate(hazards[:a]):
            shared = sum(one.regions.get(region, 0.0) * loading for region, loading in other.regions.items())
            assert abs(found[a, b] - shared) < 5 * (1 - shared**2) / np.sqrt(newborn.people) + 1e-3, (one.id, other.id)
    # Rounding to 1/24 adds a 7,000th to the variance.
    assert np.all(np.abs(held.var(axis=1) / 24**2 - 1) < 5 * np.sqrt(2 / newborn.people) + 2e-4)


def test_a_condition_on_nobodys_path_is_as_common_as_its_rates_say() -> None:
    # Neither sensitization nor alert, age, sex nor susceptibility: a two-state process from 12 on, exact at any step.
    on, off = 0.02, 0.1
    entry = {
        "label": "Control", "onset_per_1000_person_years": 1000 * on, "remission_per_year": off, "family": False, "counted": False,
    }  # fmt: skip
    made = lived(
        people=10_000,
        catalogue=changed({"control": entry}),
        parameters=Parameters(susceptibility_sd=0.0, remission_sensitization=0.0),
    )
    years = made.population["age"].astype(np.float64) - 12
    expected = on / (on + off) * -np.expm1(-(on + off) * years)
    held = holds(made, "control")
    assert abs(z_of_count(held, expected)) < 4
    for low in (0, 10, 25, 45, 60):
        band = (years >= low) & (years < low + 15)
        assert abs(z_of_count(held[band], expected[band])) < 4, low
