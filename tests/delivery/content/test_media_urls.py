from __future__ import annotations

import pytest

from delivery.content.media_urls import refusal

PUBLIC = [
    "https://example.org/roof.jpg", "http://media.example.org/a?b=c#d", "https://example.org:443/x",
    "https://example.org:8443/x", "https://93.184.216.34/x.png", "https://[2606:2800:220:1::1]/x.png",
    "https://bücher.example.org/straße.png", "https://xn--bcher-kva.example/x", "https://a-b.c_d.example.org/",
    "https://example.org./x", "https://localhost.example.org/x", "https://1.example.org/x",
    "https://example.org/user@host", "https://example.org/%40", "https://127.example.com/",
]  # fmt: skip
REFUSED = [
    "", "example.org/x", "//example.org/x", "ftp://example.org/x", "javascript:alert(1)", "data:image/png;base64,x",
    "file:///etc/passwd", "https:///x", "https://", "http://[", "https://example.org:99999/", "https://example.org:x/",
    "https://x/y", "http://localhost/x", "http://LOCALHOST./x", "http://a.localhost/", "http://printer.local/",
    "http://metadata.google.internal/", "http://nas.lan/", "http://router.home.arpa/", "http://localhost.localdomain/",
    "http://127.0.0.1/", "http://127.1/", "http://127.0.1/", "http://2130706433/", "http://0x7f000001/",
    "http://0x7f.0.0.1/", "http://0177.0.0.1/", "http://017700000001/", "http://0/", "http://0.0.0.0/",
    "http://127.0.0.1./", "http://127.0.0.1.nip.io/", "http://a.0x7f000001/", "http://1.2.3/", "http://256.1.1.1/",
    "http://10.0.0.1/", "http://172.16.3.4/", "http://192.168.1.1/", "http://169.254.169.254/latest/meta-data/",
    "http://100.64.0.1/", "http://192.0.2.1/", "http://198.18.0.1/", "http://224.0.0.1/", "http://240.0.0.1/",
    "http://255.255.255.255/", "http://１２７.0.0.1/", "http://①②⑦.⓪.⓪.①/", "http://127。0。0。1/", "http://ｌｏｃａｌｈｏｓｔ/",
    "http://[::1]/", "http://[::]/", "http://[::ffff:127.0.0.1]/", "http://[::ffff:7f00:1]/", "http://[::127.0.0.1]/",
    "http://[fe80::1]/", "http://[fe80::1%25eth0]/", "http://[fc00::1]/", "http://[fd12:3456::1]/", "http://[ff02::1]/",
    "http://[fec0::1]/", "http://[64:ff9b::7f00:1]/", "http://[2002:7f00:1::]/", "http://[2001:0:7f00:1::]/",
    "http://[2001:db8::1]/", "http://[100::1]/",
    "https://user@example.org/x", "https://user:secret@example.org/x", "https://@example.org/x",
    "https://example.org@127.0.0.1/", "https://example.org\\@127.0.0.1/", "https://example.org/a b",
    "https://example.org/\u202egpj.exe", "https://exam\u200bple.org/x", "https://example.org/\x00", "https://example.org/\n",
    " https://example.org/x", "https://example.org/x\t", "https://example.org/\u2066x", "https://example.org/\ud800",
    "https://example.org:22/x", "https://example.org:6379/", "https://example.org:0/", "https://example.org/" + "x" * 2000,
    "https://%6cocalhost/", "https://127.0.0.1%2f.example.org/", "https://exa mple.org/", "https://-a.example.org/",
    "https://a..example.org/", "https://.example.org/", "https://example.org,evil/x",
]  # fmt: skip


@pytest.mark.parametrize("url", PUBLIC)
def test_a_public_media_url_is_accepted(url: str) -> None:
    assert refusal(url) == ""


@pytest.mark.parametrize("url", REFUSED)
def test_a_media_url_that_is_not_public_is_refused_with_a_sentence(url: str) -> None:
    assert refusal(url).endswith(".")
