from __future__ import annotations

# A project of its own, with settings of its own: test_alone.py runs it.
collect_ignore = ["alone"]
