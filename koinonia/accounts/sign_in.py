"""Pages to sign in and out."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView, LogoutView
from django.urls import reverse
from django.utils.translation import gettext_lazy as _


class SignInForm(AuthenticationForm):
    """Django's form with sentences that say which field to look at."""

    error_messages = {
        **AuthenticationForm.error_messages,
        "invalid_login": _(
            "The user name or the password is wrong. The password tells capital letters from small"
            " ones."
        ),
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, label, sentence in (
            ("username", _("User name"), _("Fill in your user name.")),
            ("password", _("Password"), _("Fill in your password.")),
        ):
            self.fields[name].label = label
            self.fields[name].error_messages["required"] = str(sentence)


class SignInView(LoginView):
    form_class = SignInForm
    template_name = "koinonia/login.html"
    redirect_authenticated_user = True

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        shown = {"languages": settings.LANGUAGES, "comes_back": len(self.get_redirect_url()) > 1}
        return super().get_context_data(**kwargs, **shown)


class SignOutView(LogoutView):
    """Ends the session and shows the page to sign in, with a sentence about it."""

    def get_success_url(self) -> str:
        return f"{reverse('login')}?signed_out=1"
