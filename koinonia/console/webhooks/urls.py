from __future__ import annotations

from django.urls import path

from koinonia.console.webhooks import acts, views

urlpatterns = [
    path("", views.WebhooksPage.as_view(), name="console-webhooks"),
    path("new/", views.NewWebhookPage.as_view(), name="console-webhook-new"),
    path("<str:key>/", views.WebhookPage.as_view(), name="console-webhook"),
    path("<str:key>/edit/", views.EditWebhookPage.as_view(), name="console-webhook-edit"),
    path("<str:key>/delete/", acts.DeletePage.as_view(), name="console-webhook-delete"),
    path("<str:key>/test/", acts.TestPage.as_view(), name="console-webhook-test"),
    path("<str:key>/switch/", acts.SwitchPage.as_view(), name="console-webhook-switch"),
    path("<str:key>/rotate/", acts.RotatePage.as_view(), name="console-webhook-rotate"),
    path("<str:key>/again/", acts.AgainPage.as_view(), name="console-webhook-again"),
    path("<str:key>/<str:delivery>/again/", acts.RedeliverPage.as_view(), name="console-webhook-redeliver"),
]  # fmt: skip
