"""The kinds of files that people send by MMS, by the end of their address."""

from __future__ import annotations

from pathlib import PurePosixPath
from urllib.parse import urlsplit

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

_PICTURES = frozenset(
    ["bmp", "gif", "heic", "heif", "jpe", "jpeg", "jpg", "png", "tif", "tiff", "webp"]
)
_KINDS: dict[Promise, str] = {
    gettext_lazy("Video"): "3g2 3gp 3gpp avi m4v mov mp4 mpeg mpg webm",
    gettext_lazy("Sound"): "3ga aac amr caf flac m4a mp3 oga ogg opus wav weba",
    gettext_lazy("Contact card"): "vcard vcf",
    gettext_lazy("Calendar entry"): "ics vcs",
    gettext_lazy("Document"): "doc docx odt pdf rtf txt xls xlsx",
}
_KIND_OF = {ending: kind for kind, endings in _KINDS.items() for ending in endings.split(" ")}
_PICTURE = gettext_lazy("Picture")
_UNKNOWN = gettext_lazy("Picture or file")


def kind_of(url: str) -> str:
    """Return the kind of the file at ``url`` in the language of the reader."""
    ending = _ending(url)
    return str(_PICTURE if ending in _PICTURES else _KIND_OF.get(ending, _UNKNOWN))


def may_be_a_picture(url: str) -> bool:
    """Return False for an address that ends as another kind of file does."""
    return _ending(url) not in _KIND_OF


def _ending(url: str) -> str:
    try:
        path = urlsplit(url).path
    except ValueError:
        return ""
    return PurePosixPath(path).suffix.lstrip(".").casefold()
