"""The settings of a church."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.core.exceptions import ValidationError as InvalidError
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from delivery.limits import spend
from koinonia import opt_out_words
from koinonia.answers import keywords, office_hours
from koinonia.api.serializers.acting import ActingMixin
from koinonia.api.serializers.answers import AnswerField
from koinonia.api.serializers.fields import ChoiceField, ItemTagField, NameField
from koinonia.api.serializers.known_fields import KnownFieldsMixin
from koinonia.models import Church
from koinonia.quiet.hours import quiet_hours_refusal
from koinonia.series import new_zone
from koinonia.zones import check_zone

_MOST_PARTS = 1_000_000
_ANSWERS = {
    "office_hours", "answers_when_closed", "closed_answer", "answers_first_contact", "first_contact_answer",
}  # fmt: skip


@extend_schema_field(
    {
        "type": "object",
        "nullable": True,
        "additionalProperties": {
            "type": "array",
            "items": {"type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$"},
            "minItems": 2,
            "maxItems": 2,
        },
        "example": {"mon": ["09:00", "17:00"]},
    }
)
class OfficeHoursField(serializers.JSONField):
    """Two times by day (`mon` to `sun`), in the church's zone; null: unknown."""

    def to_internal_value(self, data: Any) -> Any:
        return _checked(office_hours.check, super().to_internal_value(data))


class SettingsSerializer(ActingMixin, KnownFieldsMixin, serializers.ModelSerializer[Church]):
    serializer_choice_field = ChoiceField
    name = NameField()
    signature = NameField(max_length=80, allow_blank=True, required=False)
    office_hours = OfficeHoursField(allow_null=True, required=False)
    closed_answer = AnswerField()
    first_contact_answer = AnswerField()
    daily_cap = serializers.IntegerField(
        min_value=1,
        max_value=_MOST_PARTS,
        error_messages={"min_value": gettext_lazy("A cap is 1 part or more.")},
        allow_null=True,
        required=False,
        help_text="Parts in 24 hours, chosen by the church; null: the cap of the operator alone.",
    )
    operator_daily_cap = serializers.IntegerField(
        read_only=True, allow_null=True, help_text="The operator's cap; null: none."
    )
    etag = ItemTagField()

    class Meta:
        model = Church
        fields = [
            "name", "timezone", "language", "opt_out_words", "plain_punctuation", "signature",
            "part_price", "office_hours", "answers_when_closed", "closed_answer",
            "answers_first_contact", "first_contact_answer", "daily_cap", "operator_daily_cap",
            "quiet_from", "quiet_until", "etag",
        ]  # fmt: skip
        extra_kwargs = {
            "part_price": {"error_messages": {"min_value": gettext_lazy("A price is 0 or more.")}}
        }

    def to_representation(self, instance: Church) -> dict[str, Any]:
        names = set(self.fields)
        if names & {"daily_cap", "operator_daily_cap"}:
            by_operator, own = spend.caps(instance.pk)
            vars(instance).update(daily_cap=own, operator_daily_cap=by_operator)
        return super().to_representation(instance)

    def validate_timezone(self, name: str) -> str:
        return str(_checked(check_zone, name))

    def validate_opt_out_words(self, words: str) -> str:
        _checked(opt_out_words.check, words)
        church = self.instance
        if isinstance(church, Church):
            _checked(lambda given: keywords.check_opt_out_words(church, given), words)
        return words

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        def after(name: str) -> Any:
            return attrs.get(name, getattr(self.instance, name, None))

        if after("answers_when_closed") and after("office_hours") is None:
            sentence = _("Name the office hours first: without them the office is never closed.")
            raise serializers.ValidationError({"office_hours": [sentence]})
        if reason := quiet_hours_refusal(after("quiet_from"), after("quiet_until")):
            raise serializers.ValidationError({"quiet_until": [reason]})
        return attrs

    def update(self, instance: Church, validated_data: dict[str, Any]) -> Church:
        answers = validated_data.keys() <= _ANSWERS
        self.record("answers.changed" if answers else "church.changed", instance, validated_data)
        if "daily_cap" in validated_data:
            spend.set_own_cap(instance.pk, validated_data.pop("daily_cap"), timezone.now())
        before = instance.timezone
        for name, value in validated_data.items():
            setattr(instance, name, value)
        # Always write a column: the version of the church covers its cap too.
        instance.save(update_fields=["name", *validated_data])
        new_zone.follow(instance, before, timezone.now())
        return instance


def _checked(check: Callable[[Any], None], value: Any) -> Any:
    try:
        check(value)
    except InvalidError as error:
        raise serializers.ValidationError(error.messages) from None
    return value
