from __future__ import annotations

from pathlib import Path

from django.conf import settings

from delivery.dead_letters import export
from koinonia import release
from koinonia.models import Broadcast

ROOT = Path(settings.BASE_DIR)


def test_all_that_makes_answers_is_part_of_the_release() -> None:
    """Were it not, the tags of the last release would still be good for answers of this one."""
    for module in (Broadcast.__module__, export.__module__, "httpopt.renderers"):
        assert module.partition(".")[0] in release.MAKE_ANSWERS
    sources = [ROOT / name for name in release.MAKE_ANSWERS]
    assert settings.HTTPOPT["RELEASE"] == release.of_answers(*sources)


def test_a_changed_source_is_another_release(tmp_path: Path) -> None:
    source = tmp_path / "models" / "broadcast.py"
    source.parent.mkdir()
    source.write_text("STATUS = 1")
    before = release.of_answers(tmp_path)
    assert release.of_answers(tmp_path) == before
    source.write_text("STATUS = 2")
    assert release.of_answers(tmp_path) != before
