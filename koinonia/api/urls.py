from __future__ import annotations

from django.urls import path, re_path

from koinonia.api import schema  # noqa: F401 -- registers its extensions
from koinonia.api.views import (
    audit,
    auth,
    broadcasts,
    churches,
    conversations,
    dead_letters,
    delivery,
    errors,
    events,
    groups,
    invitations,
    keywords,
    me,
    member_import,
    members,
    messages,
    notes,
    roots,
    series,
    settings,
    staff,
    templates,
    webhooks,
)
from koinonia.api.views import schema as schema_view

app_name = "api"

_CHURCH = "v1/churches/<slug:church>/"

urlpatterns = [
    # Programs ask these most, and Django tries the patterns in turn.
    path(f"{_CHURCH}messages/", messages.MessagesView.as_view(), name="messages"),
    path(f"{_CHURCH}events/", events.church_events, name="events"),
    path("v1/realtime/ticket/", events.TicketView.as_view(), name="ticket"),
    path(
        f"{_CHURCH}conversations/", conversations.ConversationsView.as_view(), name="conversations"
    ),
    path("v1/auth/login/", auth.LoginView.as_view(), name="login"),
    path("v1/auth/logout/", auth.LogoutView.as_view(), name="logout"),
    path("v1/me/", auth.MeView.as_view(), name="me"),
    path("v1/me/password/", me.PasswordView.as_view(), name="my-password"),
    path("v1/me/tokens/", me.TokensView.as_view(), name="my-tokens"),
    path("v1/me/tokens/<str:id>/", me.TokenView.as_view(), name="my-token"),
    path("v1/me/logout-everywhere/", me.LogoutEverywhereView.as_view(), name="logout-everywhere"),
    path("v1/me/invitations/", invitations.MyInvitationsView.as_view(), name="my-invitations"),
    path(
        "v1/me/invitations/<str:token>/accept/",
        invitations.AcceptInvitationView.as_view(),
        name="invitation-accept",
    ),
    path("v1/churches/", churches.ChurchesView.as_view(), name="churches"),
    path(_CHURCH, churches.ChurchDetailView.as_view(), name="church"),
    path(f"{_CHURCH}members/", members.MembersView.as_view(), name="members"),
    path(f"{_CHURCH}members/import/", member_import.MemberImportView.as_view(), name="import"),
    path(f"{_CHURCH}members/export/", members.ExportMembersView.as_view(), name="members-export"),
    path(f"{_CHURCH}members/<str:id>/", members.MemberView.as_view(), name="member"),
    path(
        f"{_CHURCH}members/<str:id>/merge/", members.MergeMemberView.as_view(), name="member-merge"
    ),
    path(f"{_CHURCH}groups/", groups.GroupsView.as_view(), name="groups"),
    path(f"{_CHURCH}groups/<str:id>/", groups.GroupView.as_view(), name="group"),
    path(
        f"{_CHURCH}groups/<str:id>/members/",
        groups.GroupMembersView.as_view(),
        name="group-members",
    ),
    path(f"{_CHURCH}keywords/", keywords.KeywordsView.as_view(), name="keywords"),
    path(f"{_CHURCH}keywords/<str:id>/", keywords.KeywordView.as_view(), name="keyword"),
    path(f"{_CHURCH}settings/", settings.SettingsView.as_view(), name="settings"),
    path(f"{_CHURCH}messages/<str:id>/", messages.MessageView.as_view(), name="message"),
    path(f"{_CHURCH}messages/<str:id>/attempts/", messages.AttemptsView.as_view(), name="attempts"),
    path(
        f"{_CHURCH}messages/<str:id>/cancel/",
        messages.CancelMessageView.as_view(),
        name="message-cancel",
    ),
    path(f"{_CHURCH}broadcasts/", broadcasts.BroadcastsView.as_view(), name="broadcasts"),
    path(
        f"{_CHURCH}broadcasts/preview/",
        broadcasts.PreviewBroadcastView.as_view(),
        name="broadcast-preview",
    ),
    path(f"{_CHURCH}broadcasts/<str:id>/", broadcasts.BroadcastView.as_view(), name="broadcast"),
    path(
        f"{_CHURCH}broadcasts/<str:id>/cancel/",
        broadcasts.CancelBroadcastView.as_view(),
        name="broadcast-cancel",
    ),
    path(
        f"{_CHURCH}conversations/<str:id>/",
        conversations.ConversationView.as_view(),
        name="conversation",
    ),
    path(
        f"{_CHURCH}conversations/<str:id>/messages/",
        conversations.ConversationMessagesView.as_view(),
        name="conversation-messages",
    ),
    path(
        f"{_CHURCH}conversations/<str:id>/read/",
        conversations.ReadConversationView.as_view(),
        name="conversation-read",
    ),
    path(
        f"{_CHURCH}conversations/<str:id>/opt-out/",
        conversations.OptOutView.as_view(),
        name="conversation-opt-out",
    ),
    path(f"{_CHURCH}colleagues/", conversations.ColleaguesView.as_view(), name="colleagues"),
    path(f"{_CHURCH}notes/", notes.NotesView.as_view(), name="notes"),
    path(f"{_CHURCH}notes/<str:id>/", notes.NoteView.as_view(), name="note"),
    path(
        f"{_CHURCH}messages/<str:id>/not-a-stop/",
        messages.NotAStopView.as_view(),
        name="message-not-a-stop",
    ),
    path(f"{_CHURCH}series/", series.SeriesListView.as_view(), name="series"),
    path(f"{_CHURCH}series/<str:id>/", series.SeriesView.as_view(), name="series-item"),
    path(f"{_CHURCH}series/<str:id>/skip/", series.SkipSeriesView.as_view(), name="series-skip"),
    path(f"{_CHURCH}dead-letters/", dead_letters.DeadLettersView.as_view(), name="dead-letters"),
    path(
        f"{_CHURCH}dead-letters/retry/",
        dead_letters.RetryDeadLettersView.as_view(),
        name="dead-letters-retry",
    ),
    path(
        f"{_CHURCH}dead-letters/export/",
        dead_letters.ExportDeadLettersView.as_view(),
        name="dead-letters-export",
    ),
    path(
        f"{_CHURCH}dead-letters/<str:id>/",
        dead_letters.DeadLetterView.as_view(),
        name="dead-letter",
    ),
    path(
        f"{_CHURCH}dead-letters/<str:id>/retry/",
        dead_letters.RetryDeadLetterView.as_view(),
        name="dead-letter-retry",
    ),
    path(
        f"{_CHURCH}dead-letters/<str:id>/discard/",
        dead_letters.DiscardDeadLetterView.as_view(),
        name="dead-letter-discard",
    ),
    path(f"{_CHURCH}delivery/", delivery.DeliveryView.as_view(), name="delivery"),
    path(f"{_CHURCH}audit/", audit.AuditView.as_view(), name="audit"),
    path("v1/me/events/", events.my_events, name="my-events"),
    path(f"{_CHURCH}invitations/", invitations.InvitationsView.as_view(), name="invitations"),
    path(
        f"{_CHURCH}invitations/<str:id>/", invitations.InvitationView.as_view(), name="invitation"
    ),
    path(f"{_CHURCH}templates/", templates.TemplatesView.as_view(), name="templates"),
    path(f"{_CHURCH}templates/<str:id>/", templates.TemplateView.as_view(), name="template"),
    path(f"{_CHURCH}media/", templates.MediaView.as_view(), name="media"),
    path(f"{_CHURCH}media/<str:id>/", templates.MediaItemView.as_view(), name="media-item"),
    path(f"{_CHURCH}webhooks/", webhooks.WebhooksView.as_view(), name="webhooks"),
    path(f"{_CHURCH}webhooks/<str:id>/", webhooks.WebhookView.as_view(), name="webhook"),
    path(
        f"{_CHURCH}webhooks/<str:id>/rotate/",
        webhooks.RotateWebhookView.as_view(),
        name="webhook-rotate",
    ),
    path(
        f"{_CHURCH}webhooks/<str:id>/test/", webhooks.TestWebhookView.as_view(), name="webhook-test"
    ),
    path(
        f"{_CHURCH}webhooks/<str:id>/redeliver/",
        webhooks.RedeliverWebhookView.as_view(),
        name="webhook-redeliver",
    ),
    path(
        f"{_CHURCH}webhooks/<str:id>/deliveries/",
        webhooks.WebhookDeliveriesView.as_view(),
        name="webhook-deliveries",
    ),
    path(
        f"{_CHURCH}webhooks/<str:id>/deliveries/<str:delivery>/redeliver/",
        webhooks.RedeliverView.as_view(),
        name="webhook-delivery-redeliver",
    ),
    path(f"{_CHURCH}staff/", staff.StaffListView.as_view(), name="staff"),
    path(f"{_CHURCH}staff/<str:id>/", staff.StaffView.as_view(), name="staff-member"),
    path("", roots.RootView.as_view(), name="root"),
    path("v1/", roots.VersionRootView.as_view(), name="version-root"),
    path("schema/", schema_view.SchemaView.as_view(), name="schema"),
    path("docs/", schema_view.DocumentationView.as_view(), name="docs"),
    re_path(r"^", errors.NoSuchPathView.as_view(), name="no-such-path"),
]
