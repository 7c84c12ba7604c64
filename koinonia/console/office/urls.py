from __future__ import annotations

from django.urls import path

from koinonia.console.office import account, keys, sessions, settings, staff

urlpatterns = [
    path("settings/", settings.SettingsPage.as_view(), name="console-settings"),
    path("answers/", settings.AnswersPage.as_view(), name="console-answers"),
    path("staff/", staff.StaffPage.as_view(), name="console-staff"),
    path("staff/<str:key>/role/", staff.RolePage.as_view(), name="console-staff-role"),
    path("staff/<str:key>/remove/", staff.RemovePage.as_view(), name="console-staff-remove"),
    path("staff/invitations/<str:key>/withdraw/", staff.WithdrawPage.as_view(), name="console-staff-withdraw"),
    path("account/", account.AccountPage.as_view(), name="console-account"),
    path("account/keys/", keys.KeysPage.as_view(), name="console-account-keys"),
    path("account/keys/<str:key>/end/", keys.EndKeyPage.as_view(), name="console-account-key"),
    path("account/sessions/others/", sessions.EndOtherSessionsPage.as_view(), name="console-account-sessions"),
    path("account/sessions/<str:key>/end/", sessions.EndSessionPage.as_view(), name="console-account-session"),
    path("account/sign-out-everywhere/", account.LogoutEverywherePage.as_view(), name="console-account-sign-out"),
    path("account/leave/", account.LeavePage.as_view(), name="console-account-leave"),
]  # fmt: skip
