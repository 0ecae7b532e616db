"""Why a published fact cannot be held against the model yet, by target id. A fact with an estimand has none."""

from __future__ import annotations

_TWINS = "needs pairs of twins and inherited susceptibility, which are not simulated"
_REPORTED = "a diagnosis as online panels report it, which says more of them than of records"
_ABSENT = "not in the catalogue of conditions"
_CRITERION = "another criterion than the model's"

REASONS: dict[str, str] = {
    "tx_abct_nnt": "a fall of the FIQR, where treatments are compared by pain; and no such kind of programme",
    "tx_ami_sleep_smd": "a rating of sleep, where treatments are compared by pain",
    "tx_gabapentin": "no number that the model could be held against: one trial of relief by 30 %",
    **dict.fromkeys(("twin_h2_latent", "twin_h2_fss_kato"), _TWINS),
    **dict.fromkeys(("mcs_dx_us", "mcs_dx_4country"), _REPORTED),
    **dict.fromkeys(("dep_prev", "fm_comorb_mdd"), f"depression is {_ABSENT}"),
    **dict.fromkeys(
        ("migraine_prev_global", "migraine_prev_us", "migraine_fm_ratio"),
        f"migraine that is not chronic is {_ABSENT}",
    ),
    "fm_comorb_headache": f"the source counts any migraine, and migraine that is not chronic is {_ABSENT}",
    "tth_prev_global": f"tension-type headache that is not chronic is {_ABSENT}",
    "headache15_prev_global": f"holds medication-overuse headache, which is {_ABSENT}",
    "dysmen_prev": "any dysmenorrhoea, where the catalogue has the severe kind only",
    "cpp_noncyc_prev": f"pelvic pain of any cause is {_ABSENT}",
    "crps_prev_olmsted": "a period prevalence from medical records of no stated period",
    "rls_prev_global2019": f"{_CRITERION}: any severity by minimal criteria, not bias-corrected",
    "fm_prev_meta_heidari": "pooled over criteria that differ several-fold",
    "fss_any_dk": f"chronic fatigue and whiplash disorder are {_ABSENT}; by interview, not questionnaire",
    "cwp_prev_dk": f"{_CRITERION}: by interview, not questionnaire",
    "tmd_multi_nhis": "any headache and neck pain of the last 3 months are not recorded",
    "tmd_headache_or": "any headache is not recorded, only chronic ones; cases and controls of one clinic",
    "hrv_g_fss": "heart rate variability is not simulated yet",
    "ibs_12y_different": "needs 12 years and the other functional gut disorders, which are not in the catalogue",
    "abuse_prev_physical": "adversity is a number without kinds",
    "acr2016_rule": "a rule without a number: built in, word for word",
    "mps_prev": "no agreed criteria and no usable figure; its onset is assumed",
    "fus_prev": "no usable figure was found; its onset is assumed",
}
