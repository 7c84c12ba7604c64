#!/usr/bin/env bash
# django-rest-knox 5.1: makemigrations fails for every app with a foreign key to knox.AuthToken.
#
# AuthToken is declared swappable by KNOX_TOKEN_MODEL, and knox itself reads that setting with a
# default. Django's autodetector reads the setting without a default when a foreign key points at the
# model: it raises AttributeError instead of a migration, and "check" does not warn. The setting
# KNOX_TOKEN_MODEL = "knox.AuthToken" avoids the error. Exits non-zero once knox or Django has changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  django==5.2.19 djangorestframework==3.18.3 django-rest-knox==5.1.0
mkdir -p "$work/notes/migrations"
touch "$work/notes/__init__.py" "$work/notes/migrations/__init__.py"
cat > "$work/notes/models.py" <<'PY'
from django.db import models


class Note(models.Model):
    token = models.ForeignKey("knox.AuthToken", models.CASCADE)
PY
cat > "$work/settings.py" <<'PY'
SECRET_KEY = "only-for-this-finding"
INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "knox", "notes"]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
PY
cd "$work"
export DJANGO_SETTINGS_MODULE=settings PYTHONPATH="$work"
"$work/venv/bin/pip" list --disable-pip-version-check | grep -i -E '^(django|django-rest-knox) '
"$work/venv/bin/django-admin" check
if "$work/venv/bin/django-admin" makemigrations notes --dry-run > out.txt 2>&1; then
  echo "changed: makemigrations works without KNOX_TOKEN_MODEL"
  exit 1
fi
tail -n 1 out.txt
grep -q "AttributeError: 'Settings' object has no attribute 'KNOX_TOKEN_MODEL'" out.txt
echo 'KNOX_TOKEN_MODEL = "knox.AuthToken"' >> settings.py
"$work/venv/bin/django-admin" makemigrations notes --dry-run | grep "Create model Note"
