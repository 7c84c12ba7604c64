"""What the person who started the system wants to know."""

from __future__ import annotations

from koinonia.up.programs import Plan

_OFFICE = "grace-owner, grace-sender, grace-viewer, hope-owner"


def panel(plan: Plan) -> str:
    lines = [
        "",
        f"Koinonia is ready: {plan.url}/",
        "",
        *(_demo(plan) if plan.options.demo else []),
        f"  API         {plan.url}/api/docs/",
        f"  Texts       {_texts(plan)}",
        f"  Data, logs  {plan.options.data_dir}",
        "",
        "Ctrl-C stops everything.",
        "",
    ]
    return "\n".join(lines)


def _demo(plan: Plan) -> list[str]:
    return [
        f"  Sign in     {_OFFICE}",
        f"  Support     support, admin (at {plan.url}/admin/)",
        f"  Password    {plan.environment['DEMO_PASSWORD']} (of all of them)",
        "  Try         As grace-sender, text a member and watch it become Delivered.",
        "",
    ]


def _texts(plan: Plan) -> str:
    if plan.simulated:
        return "go to the Telnyx simulator, and to nobody's phone"
    return "are REAL: they go to Telnyx, with your TELNYX_API_KEY"
