"""The pages on which people change a password, or reset one that they forgot: Django's own, limited."""

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
    """Change the own password; every session ends, this one too."""

    template_name = "koinonia/password.html"
    success_url = reverse_lazy("login")
    _attempt: logins.Attempt

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        # Guesses at the present password are limited as guesses at a login are.
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
        return super().form_invalid(form)


class ResetForm(PasswordResetForm):
    """Django's; its mail leaves without keeping the request, and leads to ``PUBLIC_URL`` alone."""

    def save(self, **options: Any) -> None:  # type: ignore[override] # passed on as they are
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
    """Ask for a link by mail. The answer is the same whether the address is known or not."""

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
    """Behind the link of a mail."""

    template_name = "koinonia/password_reset_confirm.html"
    success_url = reverse_lazy("password_reset_complete")


class NewPasswordChosenView(views.PasswordResetCompleteView):
    template_name = "koinonia/password_reset_complete.html"
