"""How live workers and the reconciler agree on what is being called, when the queues have forgotten it."""

RENEW_SECONDS = 2.0
"""A worker renews its lease at least this often, and finds out that the queues no longer know it."""

SETTLE_SECONDS = 11.0
"""How long after a loss of the queues events handed to workers are left to those that may be calling them:

a renewal (2 s), a call to a host that has gone silently until it times out (5 s), the longest wait between
two tries of a worker that had lost its server (2 s), and time to connect (2 s).
"""
