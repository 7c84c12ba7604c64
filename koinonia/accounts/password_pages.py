"""Pages to change or reset a password: Django's views behind rate limits."""

from __future__ import annotations

from typing import Any, cast
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth import logout, views
from django.contrib.auth.forms import PasswordResetForm
from django.contrib.auth.models import User
from django.core.mail import EmailMultiAlternatives
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.urls import reverse_lazy

from koinonia.accounts import mail
from throttling import logins


class ChangePasswordView(views.PasswordChangeView):
    """Changes the user's password and ends all sessions, including the current one."""

    template_name = "koinonia/password.html"
    success_url = reverse_lazy("login")
    _attempt: logins.Attempt

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        # Guesses at the current password count against the limits of the login.
        try:
            self._attempt = logins.attempt(request, cast(User, request.user).get_username())
        except logins.LoginRefusedError as refused:
            return logins.refusal_page(
                request, wait=refused.result.retry_after, result=refused.result
            )
        with self._attempt:
            return super().post(request, *args, **kwargs)

    def form_valid(self, form: Any) -> HttpResponse:
        self._attempt.succeeded()
        form.save()
        logout(self.request)
        return HttpResponseRedirect(f"{self.success_url}?changed=1")

    def form_invalid(self, form: Any) -> HttpResponse:
        if "old_password" not in form.errors:
            self._attempt.succeeded()
        elif not self.request.POST.get("old_password"):
            self._attempt.withdraw()
        return super().form_invalid(form)


class ResetForm(PasswordResetForm):
    """Django's form, but the request does not wait for the e-mail, and links use ``PUBLIC_URL``."""

    def save(self, **options: Any) -> None:  # type: ignore[override] # unchanged options
        origin = urlsplit(settings.PUBLIC_URL)
        super().save(
            **{
                **options,
                "domain_override": origin.netloc,
                "use_https": origin.scheme == "https",
            }
        )

    def send_mail(
        self,
        subject_template_name: str,
        email_template_name: str,
        context: dict[str, Any],
        from_email: str | None,
        to_email: str,
        html_email_template_name: str | None = None,
    ) -> None:
        subject = " ".join(render_to_string(subject_template_name, context).split())
        body = render_to_string(email_template_name, context)
        mail.send_soon(EmailMultiAlternatives(subject, body, from_email, [to_email]))


class ResetPasswordView(views.PasswordResetView):
    """Requests a link by e-mail. The answer does not tell whether the address has an account."""

    form_class = ResetForm
    template_name = "koinonia/password_reset.html"
    email_template_name = "koinonia/mail/password_reset.txt"
    subject_template_name = "koinonia/mail/password_reset_subject.txt"

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            logins.charge(request, f"reset:{request.POST.get('email', '')}")
        except logins.LoginRefusedError as refused:
            return logins.refusal_page(
                request, wait=refused.result.retry_after, result=refused.result
            )
        return super().post(request, *args, **kwargs)


class ResetSentView(views.PasswordResetDoneView):
    template_name = "koinonia/password_reset_sent.html"


class ChooseNewPasswordView(views.PasswordResetConfirmView):
    """The page behind the link in the e-mail."""

    template_name = "koinonia/password_reset_confirm.html"
    success_url = reverse_lazy("password_reset_complete")


class NewPasswordChosenView(views.PasswordResetCompleteView):
    template_name = "koinonia/password_reset_complete.html"
