"""The parts that the providers' simulators share: HTTP server, timers, faults, numbers, ledger.

Free of Django but for ``command``. Each provider's simulator is in its own package, beside its client.
"""
