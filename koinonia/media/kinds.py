"""The kinds of files that go out with a text, found in the content and never in the name."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _


@dataclass(frozen=True, slots=True)
class Kind:
    media_type: str
    ending: str


class UnusableKindError(ValueError):
    """Phones cannot show this file. The message is a sentence for people."""


_BEGINNINGS = (
    (b"\xff\xd8\xff", Kind("image/jpeg", "jpg")),
    (b"\x89PNG\r\n\x1a\n", Kind("image/png", "png")),
    (b"GIF87a", Kind("image/gif", "gif")),
    (b"GIF89a", Kind("image/gif", "gif")),
    (b"%PDF-", Kind("application/pdf", "pdf")),
    (b"ID3", Kind("audio/mpeg", "mp3")),
    (b"BEGIN:VCARD", Kind("text/vcard", "vcf")),
)
_BRANDS = {
    b"isom": Kind("video/mp4", "mp4"),
    b"iso2": Kind("video/mp4", "mp4"),
    b"mp41": Kind("video/mp4", "mp4"),
    b"mp42": Kind("video/mp4", "mp4"),
    b"avc1": Kind("video/mp4", "mp4"),
    b"3gp4": Kind("video/3gpp", "3gp"),
    b"3gp5": Kind("video/3gpp", "3gp"),
}
_KINDS = {kind.media_type: kind for _beginning, kind in _BEGINNINGS} | {
    kind.media_type: kind for kind in _BRANDS.values()
}
_APPLE_PICTURES = {b"heic", b"heix", b"mif1", b"msf1"}
ENDINGS = ".jpg,.jpeg,.png,.gif,.pdf,.mp3,.mp4,.3gp,.vcf"
"""The endings that a file dialog offers."""


def kind_of(content: bytes) -> Kind:
    """Return the kind of a file. Raise :class:`UnusableKindError`."""
    for beginning, kind in _BEGINNINGS:
        if content.startswith(beginning):
            return kind
    brand = content[8:12] if content[4:8] == b"ftyp" else b""
    if brand in _BRANDS:
        return _BRANDS[brand]
    if brand in _APPLE_PICTURES:
        raise UnusableKindError(
            _(
                "This is a picture in Apple's format HEIC, which most phones cannot show. Save it as JPEG."
            )
        )
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        raise UnusableKindError(
            _("This is a WebP picture, which most phones cannot show. Save it as JPEG or PNG.")
        )
    raise UnusableKindError(
        _(
            "Phones cannot show this file. Choose a picture (JPEG, PNG, GIF), a PDF, a sound (MP3), a video (MP4, 3GP) or a contact (VCF)."
        )
    )


def ending_of(media_type: str) -> str:
    """Return the file ending of a known media type."""
    return _KINDS[media_type].ending
