from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import orjson
from rest_framework.renderers import JSONRenderer
from rest_framework.utils.encoders import JSONEncoder

_encoder = JSONEncoder()


class OrjsonRenderer(JSONRenderer):
    """Renders JSON with orjson; DRF renders indented JSON and values that orjson refuses."""

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
                pass  # For example a number beyond 64 bits.
        try:
            return super().render(data, accepted_media_type, renderer_context)
        except UnicodeEncodeError:
            # A lone surrogate, which JSON can only write as an ASCII escape.
            return json.dumps(data, default=_encoder.default, ensure_ascii=True).encode()


# Leave dates to DRF, which writes milliseconds.
_OPTIONS = orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_NON_STR_KEYS
