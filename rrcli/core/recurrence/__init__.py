"""Recurrence rules of RFC 5545: what a text means, as aware UTC datetimes."""

from rrcli.core.recurrence.lint import Lint
from rrcli.core.recurrence.recurrence import Recurrence

__all__ = ["Lint", "Recurrence"]
