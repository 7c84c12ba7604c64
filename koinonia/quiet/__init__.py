"""Quiet hours: texts do not reach people at night."""
