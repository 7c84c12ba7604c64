from __future__ import annotations

from django.urls import path

from koinonia.console.groups import keywords, members, pages

urlpatterns = [
    path("groups/", pages.GroupsPage.as_view(), name="console-groups"),
    path("groups/new/", pages.NewGroupPage.as_view(), name="console-group-new"),
    path("groups/<str:key>/", members.GroupPage.as_view(), name="console-group"),
    path("groups/<str:key>/edit/", pages.EditGroupPage.as_view(), name="console-group-edit"),
    path("groups/<str:key>/delete/", pages.DeleteGroupPage.as_view(), name="console-group-delete"),
    path("groups/<str:key>/members/", members.GroupMembersPage.as_view(), name="console-group-members"),
    path("keywords/", keywords.KeywordsPage.as_view(), name="console-keywords"),
    path("keywords/new/", keywords.NewKeywordPage.as_view(), name="console-keyword-new"),
    path("keywords/<str:key>/", keywords.EditKeywordPage.as_view(), name="console-keyword"),
    path("keywords/<str:key>/delete/", keywords.DeleteKeywordPage.as_view(), name="console-keyword-delete"),
]  # fmt: skip
