"""The API keys of the user: a list, a form that makes one, and the page that ends one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import User
from django.http import Http404, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from koinonia import ids
from koinonia.accounts import keys, tokens
from koinonia.api.serializers.accounts import NewTokenSerializer, TokenSerializer
from koinonia.console.forms import add_errors
from koinonia.console.office.base import OfficeView
from koinonia.console.office.forms import KeyForm
from koinonia.models import Church, KeyScope, Role

WARN_BEFORE = timedelta(days=14)
"""A key is marked for this time before its end, but at most for the last quarter of its life."""
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Line:
    """A key or a login of a program, as the page shows it."""

    id: str
    name: str
    prefix: str
    scopes: list[str]
    """Labels of the scopes; empty for all rights of the user."""
    church: str
    """The name of the only church; empty for all churches of the user."""
    made: datetime
    used: datetime | None
    ends: datetime | None
    days_left: int | None
    """Days until the end, if it is near."""
    has_ended: bool


def lines(user: User, now: datetime) -> Iterator[Line]:
    """Yield the valid keys and logins of the user, newest first, then the expired keys: a bounded number."""
    for token in [*tokens.valid_tokens(user), *keys.expired(user)[: keys.MAX_KEYS]]:
        left = token.expiry - now if token.expiry else None
        has_ended = left is not None and left <= timedelta()
        yield Line(
            id=ids.encode(token.details.pk),
            name=token.details.name,
            prefix=keys.prefix(token),
            scopes=[str(KeyScope(word).label) for word in token.details.scopes.split()],
            church=token.details.church.name if token.details.church else "",
            made=token.created,
            used=TokenSerializer(token).get_last_used_at(token),
            ends=token.expiry,
            days_left=_days_left(token, left) if left and not has_ended else None,
            has_ended=has_ended,
        )


def _days_left(token: Any, left: timedelta) -> int | None:
    """Return the days until the end, rounded up, if the end is near."""
    near = min(WARN_BEFORE, (token.expiry - token.created) / 4)
    return -(-left // _DAY) if left <= near else None


class KeysPage(OfficeView):
    """The keys of the user. A POST makes one, and shows its secret once."""

    write_role = Role.VIEWER

    def get(self, request: Any) -> HttpResponse:
        return self._shown(self._form())

    def post(self, request: Any) -> HttpResponse:
        form = self._form(request.POST)
        secret = self._made(form) if form.is_valid() else None
        if secret is None:
            return self._shown(form, status=422)
        # Do not redirect: only this page shows the secret.
        return self._shown(self._form(), secret=secret, made=form.cleaned_data["name"])

    def _form(self, data: Any = None) -> KeyForm:
        churches = Church.objects.of(self.user).order_by("name", "pk")
        return KeyForm(data, church=self.church, churches=churches)

    def _made(self, form: KeyForm) -> str | None:
        judged = self.judge(NewTokenSerializer, form.values(timezone.now()))
        if not judged.is_valid():
            add_errors(form, judged.errors)
            return None
        try:
            _token, secret = keys.make(
                self.user, **judged.validated_data, still_valid=self._is_still_valid
            )
        except keys.TooManyKeysError:
            sentence = _("You have %(most)s API keys already: end one first.")
            form.add_error(None, sentence % {"most": keys.MAX_KEYS})
            return None
        except keys.LoginEndedError:
            form.add_error(None, _("This login has ended. Sign in again."))
            return None
        return secret

    def _is_still_valid(self) -> bool:
        session = self.request.session
        same = User.objects.filter(pk=self.user.pk, password=self.user.password, is_active=True)
        return same.exists() and session.exists(session.session_key or "")

    def _shown(
        self, form: KeyForm, *, secret: str = "", made: str = "", status: int = 200
    ) -> HttpResponse:
        found = list(lines(self.user, timezone.now()))
        context = {
            "form": form,
            "secret": secret,
            "made": made,
            "keys": [line for line in found if line.name],
            "valid": sum(bool(line.name) and not line.has_ended for line in found),
            "logins": [line for line in found if not line.name],
            "unlimited": any(
                line.name and not line.scopes and not line.has_ended for line in found
            ),
            "ending": any(line.name and line.days_left is not None for line in found),
            "most": keys.MAX_KEYS,
        }
        return self.page("koinonia/console/office/keys.html", context, status)


class EndKeyPage(OfficeView):
    """Asks before a key or a login of a program ends."""

    write_role = Role.VIEWER

    def get(self, request: Any, key: str) -> HttpResponse:
        for line in lines(self.user, timezone.now()):
            if line.id == key:
                return self.page("koinonia/console/office/end_key.html", {"line": line})
        raise Http404

    def post(self, request: Any, key: str) -> HttpResponse:
        if not keys.end(self.user, ids.decode(key)):
            raise Http404
        self.notice(_("It does not work any more."))
        return self.go(self.path("account-keys"))
