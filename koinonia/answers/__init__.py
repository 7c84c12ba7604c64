"""Automatic answers: to keywords, to first texts, and outside office hours."""
