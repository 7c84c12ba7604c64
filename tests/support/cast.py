"""Factories for the churches, staff and members of the tests."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User

from koinonia.models import Church, Member, Role, Staff

PASSWORD = "correct horse battery staple"


def church(slug: str, phone_number: str, **over: Any) -> Church:
    values = {"name": f"{slug.title()} Church", "phone_number": phone_number, **over}
    return Church.objects.create(slug=slug, **values)


def staff(of: Church, role: Role) -> User:
    user = User.objects.create_user(f"{of.slug}-{role}", password=PASSWORD)
    Staff.objects.create(church=of, user=user, role=role)
    return user


def member(of: Church, first_name: str, phone: str, **over: Any) -> Member:
    return Member.objects.create(church=of, first_name=first_name, phone=phone, **over)
