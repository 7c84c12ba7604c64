"""Fields of Telnyx's webhooks whose values say nothing about a person."""

from __future__ import annotations

PLAIN_FIELDS = frozenset({
    "id", "event_type", "record_type", "occurred_at", "received_at", "sent_at", "completed_at",
    "valid_until", "direction", "status", "type", "encoding", "parts", "carrier", "line_type", "code",
    "title", "detail", "amount", "currency", "messaging_profile_id", "organization_id", "webhook_url",
    "webhook_failover_url", "autoresponse_type", "content_type", "size", "agent_id", "is_spam",
    "tcr_campaign_id", "tcr_campaign_billable", "tcr_campaign_registered", "attempt",
})  # fmt: skip
