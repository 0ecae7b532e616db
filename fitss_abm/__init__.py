"""An agent-based population simulator of central sensitivity syndromes.

The names below are the public ones. Each is loaded when it is first used, so `import fitss_abm` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fitss_abm.errors import InputError
    from fitss_abm.measurement.results import Results
    from fitss_abm.model.mesa_model import FitssModel, Person
    from fitss_abm.model.network import Network
    from fitss_abm.model.parameters import Parameters
    from fitss_abm.model.programmes import Programme
    from fitss_abm.model.simulation import Simulation
    from fitss_abm.study.cohort import Cohort
    from fitss_abm.study.scenario import Scenario
    from fitss_abm.study.simulate import simulate
    from fitss_abm.study.trial import Trial
    from fitss_abm.study.what_if import compare

    __version__: str

__all__ = [
    "Cohort",
    "FitssModel",
    "InputError",
    "Network",
    "Parameters",
    "Person",
    "Programme",
    "Results",
    "Scenario",
    "Simulation",
    "Trial",
    "__version__",
    "compare",
    "simulate",
]

_HOMES = {
    "Cohort": "fitss_abm.study.cohort",
    "FitssModel": "fitss_abm.model.mesa_model",
    "InputError": "fitss_abm.errors",
    "Network": "fitss_abm.model.network",
    "Parameters": "fitss_abm.model.parameters",
    "Person": "fitss_abm.model.mesa_model",
    "Programme": "fitss_abm.model.programmes",
    "Results": "fitss_abm.measurement.results",
    "Scenario": "fitss_abm.study.scenario",
    "Simulation": "fitss_abm.model.simulation",
    "Trial": "fitss_abm.study.trial",
    "compare": "fitss_abm.study.what_if",
    "simulate": "fitss_abm.study.simulate",
}


def __getattr__(name: str) -> Any:
    """Load a public name on first use and keep it (PEP 562)."""
    if name == "__version__":
        value = _version()
    elif name in _HOMES:
        value = getattr(import_module(_HOMES[name]), name)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("fitss_abm")
    except PackageNotFoundError:  # used from a source folder that was never installed
        return "0+uninstalled"
