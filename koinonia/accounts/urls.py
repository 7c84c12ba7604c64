from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.urls import path
from django.views.generic import RedirectView

from koinonia.accounts import invitation_pages, password_pages

# Django's names: its reset mail and the admin's login page look for them.
urlpatterns = [
    path("password/", login_required(password_pages.ChangePasswordView.as_view()), name="password"),
    path("password-reset/", password_pages.ResetPasswordView.as_view(), name="password_reset"),
    path(
        "password-reset/sent/",
        password_pages.ResetSentView.as_view(),
        name="password_reset_done",
    ),
    path(
        "password-reset/complete/",
        password_pages.NewPasswordChosenView.as_view(),
        name="password_reset_complete",
    ),
    path(
        "password-reset/<uidb64>/<token>/",
        password_pages.ChooseNewPasswordView.as_view(),
        name="password_reset_confirm",
    ),
    # Above the admin's own: one page changes passwords, and it ends every session.
    path("admin/password_change/", RedirectView.as_view(pattern_name="password")),
    path(
        "admin/password_reset/",
        RedirectView.as_view(pattern_name="password_reset"),
        name="admin_password_reset",
    ),
    path("invitations/", invitation_pages.my_invitations, name="my-invitations"),
    path("invitations/<str:token>/", invitation_pages.invitation_page, name="invitation"),
]
