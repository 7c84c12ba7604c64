from __future__ import annotations

from django.urls import path

from koinonia.console.members import doubles, editing, files, listing, member

urlpatterns = [
    path("", listing.MembersPage.as_view(), name="console-members-list"),
    path("new/", editing.NewMemberPage.as_view(), name="console-members-new"),
    path("export/", listing.ExportPage.as_view(), name="console-members-export"),
    path("import/", files.UploadPage.as_view(), name="console-members-import"),
    path("import/<str:key>/", files.FilePage.as_view(), name="console-members-file"),
    path("import/<str:key>/start/", files.StartPage.as_view(), name="console-members-file-start"),
    path("import/<str:key>/step/", files.StepPage.as_view(), name="console-members-file-step"),
    path("import/<str:key>/report/", files.ReportPage.as_view(), name="console-members-report"),
    path("doubles/", doubles.DoublesPage.as_view(), name="console-members-doubles"),
    path("<str:key>/", member.MemberPage.as_view(), name="console-members-member"),
    path("<str:key>/edit/", editing.EditMemberPage.as_view(), name="console-members-edit"),
    path("<str:key>/opt-out/", editing.OptOutPage.as_view(), name="console-members-opt-out"),
    path("<str:key>/delete/", editing.DeleteMemberPage.as_view(), name="console-members-delete"),
    path("<str:key>/merge/<str:other>/", doubles.MergePage.as_view(), name="console-members-merge"),
]
