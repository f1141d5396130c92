"""rrule-scheduler: RFC 5545 recurrence rules that make HTTP calls, once per occurrence."""

__version__ = "0.1.0"
