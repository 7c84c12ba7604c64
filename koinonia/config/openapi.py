"""The settings of drf-spectacular, which writes the OpenAPI schema."""

from __future__ import annotations

from typing import Any

DESCRIPTION = """\
Texting for churches: members, messages, broadcasts, conversations.

**Sign in.** `log_in` answers a token; send it as `Authorization: Bearer <token>`. On this site's pages the session works too.

**Send once.** Send an `Idempotency-Key` with each text: a repeat of the request then sends nothing twice.

**Follow.** A text is accepted with 202 when it is stored. `list_events` and the WebSocket `/ws/v1/` tell its way.

**Read cheaply.** Send the `ETag` back as `If-None-Match`, and name the `fields` that you need.

**Limits.** `RateLimit` tells what is left. After a 429, wait as long as `Retry-After` says.

Errors are `application/problem+json` (RFC 9457): `detail` says what is wrong, `errors` names the fields.
"""

SETTINGS: dict[str, Any] = {
    "TITLE": "Koinonia",
    "DESCRIPTION": DESCRIPTION,
    "VERSION": "1",
    "OAS_VERSION": "3.1.1",
    "CONTACT": {"name": "The operator of this installation"},
    # Relative to the address of the schema, so that a program calls the system that it read it from.
    "SERVERS": [{"url": "/", "description": "The system that serves this schema."}],
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SCHEMA_PATH_PREFIX": r"/api/v1/(churches/{church}/)?",
    "SWAGGER_UI_SETTINGS": {
        "deepLinking": True,
        "displayOperationId": True,
        "filter": True,
        # The schemas of all answers cost a second of drawing, and each operation shows its own.
        "defaultModelsExpandDepth": -1,
    },
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "koinonia.api.schema.complete",
        "koinonia.api.key_scope_schema.describe",
        "koinonia.api.schema.for_typed_clients",
        "koinonia.api.schema.null_as_a_type",
        "koinonia.api.schema_examples.describe_operations",
    ],
    "ENUM_NAME_OVERRIDES": {
        "MessageStatusEnum": "delivery.statuses.Status",
        "BroadcastStatusEnum": "koinonia.models.Broadcast.Status",
    },
}
