from __future__ import annotations

from httpopt.versions.tracked import Tracked
from tests.other_users.models import Parish

TRACKED = [Tracked(Parish, "parishes", tenant="code")]
