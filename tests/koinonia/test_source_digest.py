from __future__ import annotations

from pathlib import Path

from django.conf import settings

from delivery.dead_letters import export
from koinonia.config.source_digest import ANSWERING_APPS, digest_of_sources
from koinonia.models import Broadcast

ROOT = Path(settings.BASE_DIR)


def test_all_that_makes_answers_is_part_of_the_release() -> None:
    """Were it not, the tags of the last release would still be good for answers of this one."""
    for module in (Broadcast.__module__, export.__module__, "httpopt.renderers"):
        assert module.partition(".")[0] in ANSWERING_APPS
    sources = [ROOT / name for name in ANSWERING_APPS]
    assert settings.HTTPOPT["RELEASE"] == digest_of_sources(*sources)


def test_a_changed_source_is_another_release(tmp_path: Path) -> None:
    source = tmp_path / "models" / "broadcast.py"
    source.parent.mkdir()
    source.write_text("STATUS = 1")
    before = digest_of_sources(tmp_path)
    assert digest_of_sources(tmp_path) == before
    source.write_text("STATUS = 2")
    assert digest_of_sources(tmp_path) != before
