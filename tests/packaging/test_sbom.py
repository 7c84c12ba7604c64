from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest
from packaging.utils import canonicalize_name

from tests.support.running_system import ROOT
from tests.test_lock import PIN

pytestmark = pytest.mark.any_database


@pytest.mark.parametrize("lock", ["requirements.txt", "requirements-test.txt"])
def test_the_bill_of_materials_lists_every_pinned_package_with_its_hashes(lock: str) -> None:
    made = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "sbom"), str(ROOT / lock)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    bill: dict[str, Any] = json.loads(made.stdout)
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    listed = {one["purl"] for one in bill["components"]}
    assert listed == {
        f"pkg:pypi/{canonicalize_name(name)}@{version}"
        for name, version in PIN.findall((ROOT / lock).read_text())
    }
    assert all(one["externalReferences"][0]["hashes"] for one in bill["components"])
