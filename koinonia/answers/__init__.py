"""Texts that the system writes by itself: answers to keywords, to first texts, outside office hours."""
