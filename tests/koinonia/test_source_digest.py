from __future__ import annotations

from pathlib import Path

from django.conf import settings

from delivery.dead_letters import export
from koinonia.config.source_digest import ANSWERING_APPS, digest_of_sources
from koinonia.models import Broadcast

ROOT = Path(settings.BASE_DIR)


def test_all_answering_apps_are_part_of_the_digest() -> None:
    """Check the apps behind answers: without one of them, ETags of the last release could match."""
    for module in (Broadcast.__module__, export.__module__, "httpopt.renderers"):
        assert module.partition(".")[0] in ANSWERING_APPS
    sources = [ROOT / name for name in ANSWERING_APPS]
    assert settings.HTTPOPT["RELEASE"] == digest_of_sources(*sources)


def test_a_changed_source_changes_the_digest(tmp_path: Path) -> None:
    source = tmp_path / "models" / "broadcast.py"
    source.parent.mkdir()
    source.write_text("STATUS = 1")
    before = digest_of_sources(tmp_path)
    assert digest_of_sources(tmp_path) == before
    source.write_text("STATUS = 2")
    assert digest_of_sources(tmp_path) != before
