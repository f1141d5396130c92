"""How many examples the property tests of this folder try: thousands in CI, fewer at the desk."""

import os

from hypothesis import HealthCheck, settings

EXAMPLES = int(os.environ.get("RRCLI_EXAMPLES") or (2000 if os.environ.get("CI") else 200))

many = settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
