"""Alerts: tell operators about troubles by e-mail and by a signed webhook.

One worker of many judges at the tick of its clock (``tick``). ``rules`` finds the present troubles, ``judge``
compares them with the known ones and writes notices in the same transaction, ``channels`` sends the notices.
"""
