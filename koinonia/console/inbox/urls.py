from __future__ import annotations

from django.urls import path

from koinonia.console.inbox import decisions, notes, reply, thread, views

urlpatterns = [
    path("", views.InboxView.as_view(), name="console-inbox-list"),
    path("<str:id>/", thread.ThreadView.as_view(), name="console-inbox-thread"),
    path("<str:id>/caller/", thread.CallerView.as_view(), name="console-inbox-caller"),
    path("<str:id>/reply/", reply.ReplyView.as_view(), name="console-inbox-reply"),
    path("<str:id>/read/", decisions.ReadView.as_view(), name="console-inbox-read"),
    path("<str:id>/assign/", decisions.AssignView.as_view(), name="console-inbox-assign"),
    path("<str:id>/done/", decisions.DoneView.as_view(), name="console-inbox-done"),
    path("<str:id>/opt-out/", decisions.OptOutView.as_view(), name="console-inbox-opt-out"),
    path(
        "<str:id>/texts/<str:text>/not-a-stop/",
        decisions.NotAStopView.as_view(),
        name="console-inbox-not-a-stop",
    ),
    path("<str:id>/notes/", notes.AddNoteView.as_view(), name="console-inbox-notes"),
    path(
        "<str:id>/notes/<str:note>/delete/",
        notes.DeleteNoteView.as_view(),
        name="console-inbox-note-delete",
    ),
]
