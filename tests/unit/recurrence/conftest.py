"""Property tests: a few hundred examples by default, thousands with HYPOTHESIS_PROFILE=thorough."""

import os

from hypothesis import HealthCheck, settings

_QUIET = [HealthCheck.too_slow, HealthCheck.filter_too_much]
settings.register_profile("quick", max_examples=150, deadline=None, suppress_health_check=_QUIET)
settings.register_profile("thorough", max_examples=5_000, deadline=None, suppress_health_check=_QUIET)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))
