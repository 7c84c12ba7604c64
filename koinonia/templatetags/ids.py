"""The id of a row in a path: ``{{ group.pk|encoded }}``."""

from __future__ import annotations

from django import template

from koinonia.ids import encode

register = template.Library()
register.filter("encoded", encode)
