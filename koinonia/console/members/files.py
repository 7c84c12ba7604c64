"""The import of a file: upload, preview with choices, progress, report."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from delivery.csv_lines import line
from koinonia import ids
from koinonia.console.members.base import MembersView
from koinonia.http.streamed_csv import streamed_csv
from koinonia.member_import import kept
from koinonia.member_import.mapping import HEADERS, chosen
from koinonia.member_import.showing import preview_of
from koinonia.member_import.table import MAX_FILE_BYTES, MAX_ROWS, UnusableFileError
from koinonia.models import MemberFile
from koinonia.numbers import grouped

State = MemberFile.State
MEANINGS = {
    "ignored": gettext_lazy("Not used"),
    "first_name": gettext_lazy("First name"),
    "last_name": gettext_lazy("Last name"),
    "full_name": gettext_lazy("Whole name"),
    "phone": gettext_lazy("Mobile number"),
    "second_phone": gettext_lazy("Number if there is no mobile number"),
    "groups": gettext_lazy("Groups"),
    "opted_out": gettext_lazy("“Yes” means: no texts"),
    "may_text": gettext_lazy("“No” means: no texts"),
    "status": gettext_lazy("Whether the person is still there"),
    "country": gettext_lazy("Country of the number"),
    "kind_of_number": gettext_lazy("Kind of the number"),
}
_LOOKED_AT_ONCE = 200_000
"""Bytes of a file whose preview comes without a page that asks to wait: some 3,000 people."""
_SECONDS_WITHOUT_SCRIPT = 20.0
_SECONDS_OF_A_STEP = 1.5
_SHOWN_REMARKS = 50


def _in_words(remarks: Iterable[tuple[int, str, str]]) -> list[tuple[int, str, str]]:
    """Return the remarks with the words of the page in place of the API's names of fields."""
    found = []
    for number, name, sentence in remarks:
        field, colon, rest = sentence.partition(": ")
        named = colon and field in MEANINGS
        found.append((number, name, f"{MEANINGS[field]}: {rest}" if named else sentence))
    return found


class _ImportView(MembersView):
    read_role = MembersView.write_role

    def file(self, key: str) -> MemberFile:
        """Return the user's file. Raise Http404 after its time."""
        number = ids.decode(key)
        mine = MemberFile.objects.filter(church=self.church, user=self.user, pk=number or 0)
        found = mine.first()
        if found is None or kept.is_over(found, timezone.now()):
            raise Http404("The file is not kept any more. Choose it again.")
        found.church, found.user = self.church, self.user
        return found

    def go_to(self, file: MemberFile) -> HttpResponse:
        return self.go(self.path("file", ids.encode(file.pk)))


class UploadPage(_ImportView):
    def get(self, request: Any) -> HttpResponse:
        mine = MemberFile.objects.filter(church=self.church, user=self.user).order_by("-pk")
        files = mine.defer("content", "plan")[:10]
        return self._shown(files=[(ids.encode(file.pk), file) for file in files])

    def post(self, request: Any) -> HttpResponse:
        upload = request.FILES.get("file")
        if upload is None:
            return self._shown(problem=_("Choose a file first: CSV, .xlsx or .vcf."))
        content = upload.read(MAX_FILE_BYTES + 1)
        if len(content) > MAX_FILE_BYTES:
            sentence = _("The file is larger than %(number)s MB. Split it, or save it as CSV.")
            return self._shown(problem=sentence % {"number": MAX_FILE_BYTES // 2**20})
        if not content:
            return self._shown(problem=_("The file is empty."))
        try:
            file = kept.keep(self.church, self.user, content, upload.name or "", now=timezone.now())
        except kept.TooManyFilesError:
            return self._shown(
                problem=_("Colleagues are importing several files. Finish or wait, then try again.")
            )
        return self.go_to(file)

    def _shown(self, *, problem: str = "", files: Any = ()) -> HttpResponse:
        context = {"problem": problem, "files": files, "megabytes": MAX_FILE_BYTES // 2**20,
                   "lines": MAX_ROWS}  # fmt: skip
        status = 422 if problem else 200
        return self.page("koinonia/console/members/upload.html", context, status)


class FilePage(_ImportView):
    """The preview of a file, or the progress and the report of its import."""

    def get(self, request: Any, key: str) -> HttpResponse:
        file = self.file(key)
        if file.state != State.UPLOADED:
            return self.progress(file)
        is_new = not file.plan and "look" not in request.GET
        if is_new and (size := len(kept.content_of(file))) > _LOOKED_AT_ONCE:
            context = {"file": file, "id": key, "megabytes": size / 2**20}
            return self.page("koinonia/console/members/looking.html", context)
        return self.preview(file)

    def post(self, request: Any, key: str) -> HttpResponse:
        """Take the chosen encoding and columns, and show the preview again."""
        file = self.file(key)
        given = request.POST
        if file.state == State.UPLOADED:
            encoding = given.get("encoding", file.encoding)[:40]
            line_of_header = "0" if "no_header" in given else given.get("line", "")
            columns = file.mapping
            if line_of_header.isascii() and line_of_header.isdigit() and len(line_of_header) < 7:
                columns = chosen(given, int(line_of_header))
            uploaded = MemberFile.objects.filter(pk=file.pk, state=State.UPLOADED)
            uploaded.update(encoding=encoding, mapping=columns, plan=b"")
        return self.go_to(file)

    def preview(self, file: MemberFile, *, problem: str = "", status: int = 200) -> HttpResponse:
        found = preview_of(file)
        context = {
            "file": file,
            "id": ids.encode(file.pk),
            "found": found,
            "report": found.report,
            "remarks": _in_words(found.remarks[:_SHOWN_REMARKS]),
            "more_remarks": max(0, len(found.remarks) - _SHOWN_REMARKS),
            "choices": [(meaning, MEANINGS[meaning]) for meaning in HEADERS],
            "meanings": MEANINGS,
            "problem": problem,
        }
        return self.page("koinonia/console/members/preview.html", context, status)

    def progress(self, file: MemberFile) -> HttpResponse:
        remarks = kept.remarks_of(file)
        context = {
            "file": file,
            "id": ids.encode(file.pk),
            "is_done": file.state == State.DONE,
            "done": kept.counts_of(file),
            "remarks": _in_words(remarks[:_SHOWN_REMARKS]),
            "more_remarks": max(0, len(remarks) - _SHOWN_REMARKS),
        }
        return self.page("koinonia/console/members/progress.html", context)


class StartPage(FilePage):
    http_method_names = ["post"]

    def post(self, request: Any, key: str) -> HttpResponse:
        file = self.file(key)
        if file.state != State.UPLOADED:
            return self.go_to(file)
        if not request.POST.get("agreed"):
            sentence = _("Say whether these people have agreed to get texts from your church.")
            return self.preview(file, problem=sentence, status=422)
        try:
            kept.begin(file, now=timezone.now())
        except UnusableFileError as error:
            return self.preview(file, problem=str(error), status=422)
        file = self.file(key)
        kept.advance(file, seconds=_SECONDS_OF_A_STEP, now=timezone.now())
        return self.go_to(file)


class StepPage(FilePage):
    """Write further slices. htmx calls it until all are written; a button does without htmx."""

    http_method_names = ["post"]

    def post(self, request: Any, key: str) -> HttpResponse:
        file = self.file(key)
        seconds = _SECONDS_OF_A_STEP if self.request.htmx else _SECONDS_WITHOUT_SCRIPT
        kept.advance(file, seconds=seconds, now=timezone.now())
        return self.progress(file) if self.request.htmx else self.go_to(file)


class ReportPage(_ImportView):
    def get(self, request: Any, key: str) -> HttpResponseBase:
        file = self.file(key)
        name = f"{self.church.slug}-import-report.csv"
        return streamed_csv(request, _report_lines(file), name)


def _report_lines(file: MemberFile) -> Iterator[str]:
    yield line((_("Line"), _("Name"), _("Remark")))
    for number, name, sentence in _in_words(kept.remarks_of(file)):
        yield line((number, name, sentence))
    if left_out := file.report.get("left_out"):
        yield line(
            ("", "", _("%(number)s more remarks are left out.") % {"number": grouped(left_out)})
        )
    for column in file.report.get("ignored", ()):
        yield line(("", "", _("Not used: %(column)s") % {"column": column}))
