#!/usr/bin/env bash
# django-q2 1.11.1: kill -9 of a waiting worker stops the cluster, which restarts the worker and runs no task.
#
# The workers of a cluster read one multiprocessing.Queue. The worker that waits for the next task holds the
# read lock of that queue, and a killed process does not give its lock back. The sentinel notices the death and
# starts another worker ("reincarnated worker … after death", "ready for work"), which waits for the lock for
# ever; the pusher goes on taking tasks from the broker. TERM does not end the cluster either. With several
# workers the same happens when the killed one is the one that waits. Until then, and in a new cluster, the
# same tasks run at once. Exits non-zero once django-q2 has changed.
set -euo pipefail
work=$(mktemp -d)
cluster=
trap '[ -z "$cluster" ] || kill -KILL -- "-$cluster" || true; rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check django==5.2.19 django-q2==1.11.1
cat > "$work/settings.py" <<'PY'
SECRET_KEY = "only-for-this-finding"
INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "django_q"]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": "db.sqlite3",
        "OPTIONS": {"timeout": 20, "transaction_mode": "IMMEDIATE"},
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
Q_CLUSTER = {"name": "finding", "workers": 1, "timeout": 60, "retry": 90, "orm": "default", "poll": 0.2}
PY
cat > "$work/tasks.py" <<'PY'
from pathlib import Path


def touch(name):
    Path(name).touch()
PY
cd "$work"
export DJANGO_SETTINGS_MODULE=settings PYTHONPATH="$work"
python="$work/venv/bin/python"
"$work/venv/bin/pip" list --disable-pip-version-check | grep -i -E '^(django|django-q2) '
"$python" -m django migrate --verbosity 0

start() {  # a cluster in a session of its own
  setsid "$python" -m django qcluster >> cluster.log 2>&1 &
  cluster=$!
  disown
}
runs() {  # enqueue a task that makes the file $1, and wait for the file for $2 seconds
  "$python" -c "
import django; django.setup()
from django_q.tasks import async_task
async_task('tasks.touch', '$1')" > enqueue.log 2>&1
  for _ in $(seq $(($2 * 5))); do
    [ ! -e "$1" ] || return 0
    sleep 0.2
  done
  return 1
}

start
runs first 30 && echo "a new cluster runs a task"
worker=$(grep -o 'ready for work at [0-9]*' cluster.log | grep -o '[0-9]*$')
kill -KILL "$worker"
for _ in $(seq 50); do
  ! grep -q 'after death' cluster.log || break
  sleep 0.2
done
grep -o 'reincarnated worker .* after death' cluster.log | sed 's/Process-[0-9a-f]*/(name)/'
if runs second 20; then
  echo "changed: the cluster runs tasks after the death of its waiting worker"
  exit 1
fi
kill -0 "$cluster" && echo "20 s later the cluster runs no task, and its process is alive"
kill -TERM "$cluster"
sleep 10
kill -0 "$cluster" && echo "10 s after TERM it is still alive"
kill -KILL -- "-$cluster"
start
runs third 30 && echo "another new cluster runs a task"
