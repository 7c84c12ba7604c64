"""The parts that the providers' simulators share: account, API, webhooks, faults, control API, ledger.

Free of Django but for ``command``. Each provider's simulator is in its own package, beside its client.
"""
