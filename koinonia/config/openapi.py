"""The settings of drf-spectacular, which writes the OpenAPI schema."""

from __future__ import annotations

from typing import Any

SETTINGS: dict[str, Any] = {
    "TITLE": "Koinonia",
    "DESCRIPTION": "Texting for churches: members, messages, broadcasts, conversations.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["koinonia.api.key_scopes.InScope"],
    "SCHEMA_PATH_PREFIX": r"/api/v1/(churches/{church}/)?",
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "koinonia.api.schema.complete",
        "koinonia.api.key_scope_schema.describe",
        "koinonia.api.schema.for_typed_clients",
    ],
    "ENUM_NAME_OVERRIDES": {
        "MessageStatusEnum": "delivery.statuses.Status",
        "BroadcastStatusEnum": "koinonia.models.Broadcast.Status",
    },
}
