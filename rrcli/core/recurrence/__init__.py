"""Recurrence rules of RFC 5545: what a text means, as aware UTC datetimes."""

from rrcli.core.recurrence.recurrence import Lint, Recurrence

__all__ = ["Lint", "Recurrence"]
