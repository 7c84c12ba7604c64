"""Metrics for Prometheus: of the work of each process, and of the installation (decisions 72 and 73)."""

from __future__ import annotations
