"""The thin repository layer: Protocols in queue and ledger verbs, and the backends that keep them."""
