from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from rest_framework.renderers import JSONRenderer
from rest_framework.utils.encoders import JSONEncoder

_encoder = JSONEncoder()


class OrjsonRenderer(JSONRenderer):
    """DRF's JSON, faster. What orjson cannot write, and indented JSON, is left to DRF."""

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> Any:
        if data is None:
            return b""
        if not self.get_indent(accepted_media_type or "", dict(renderer_context or {})):
            try:
                return orjson.dumps(data, default=_encoder.default, option=_OPTIONS)
            except orjson.JSONEncodeError:
                pass  # A number beyond 64 bits, say.
        return super().render(data, accepted_media_type, renderer_context)


# Dates are DRF's business: it writes milliseconds.
_OPTIONS = orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_NON_STR_KEYS
