"""Tallies: how many texts went out, arrived, failed and wait, without reading the texts.

Triggers count each change of a message in the transaction of the change, so a tally is exact, also
beside a release that does not know it. On PostgreSQL each backend writes rows of its own (the shard is its
process id), so that two transactions never wait for each other; ``fold`` adds the shards up. A statement
that changes no class of status (a claim, a renewed lease) writes nothing. What waits for a person is counted
in quarter 0, so that it can be read from a few rows, however old the installation is.
"""

from __future__ import annotations
