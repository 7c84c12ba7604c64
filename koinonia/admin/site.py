"""Changes to the admin of the apps: links to the desk, the models without a page, the autocompletion."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.contrib import admin
from django.contrib.admin.views.autocomplete import AutocompleteJsonView
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.urls import reverse
from knox.models import AuthToken

from delivery.admin import DeadLetterAdmin, WebhookEventAdmin
from delivery.admin.letter_filters import BatchFilter
from delivery.models import DeadLetter
from koinonia import ids


def _story_url(letter: DeadLetter) -> str:
    return _story_of(letter.pk)


def _story_of(message_id: int) -> str:
    return reverse("desk-story", args=[ids.encode(message_id)])


# The support desk looks texts up by the ids that the pages and the API show.
DeadLetterAdmin.public_key = staticmethod(ids.decode)  # type: ignore[method-assign] # its hook
DeadLetterAdmin.story_url = staticmethod(_story_url)  # type: ignore[method-assign] # its hook
WebhookEventAdmin.story_url = staticmethod(_story_of)  # type: ignore[method-assign] # its hook
BatchFilter.title = "broadcast"

# knox's page makes tokens for other users and shows them; django-q2's pages show nothing that this
# project uses.
_UNWANTED = [AuthToken, *apps.get_app_config("django_q").get_models()]
admin.site.unregister([model for model in _UNWANTED if admin.site.is_registered(model)])


class AutocompleteView(AutocompleteJsonView):
    """Django's view, except that a reverse relation is refused like any field without choices.

    Django 5.2 fails there with an AttributeError (``field_name=user`` of ``auth.group``).
    """

    def process_request(self, request: HttpRequest) -> Any:
        term, *found = super().process_request(request)
        if not hasattr(found[1], "get_limit_choices_to"):
            raise PermissionDenied
        # PostgreSQL rejects NUL in text.
        return term.replace("\0", ""), *found
