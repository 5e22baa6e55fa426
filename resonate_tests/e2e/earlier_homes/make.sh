#!/bin/bash
# A home as an earlier Resonate left it, for test_upgrade.py: make.sh CHECKOUT VENV NAME, as root on Linux with
# PostgreSQL installed. CHECKOUT: the code of that version (git worktree add FOLDER COMMIT); VENV: an environment
# that it runs in; NAME: of what is made here, NAME.tar.xz (the home, with its databases in SQLite) and NAME.sql.xz
# (what `pg_dump` gives of the same track, processed on into PostgreSQL).
# It works at /srv/resonate on a host called `studio`, in namespaces of its own, so that nothing of this machine
# stands in it: the last lines see to that.
set -euo pipefail
if [ "${INSIDE:-}" != yes ]; then
  exec env INSIDE=yes unshare --mount --uts bash "$0" "$(realpath "$1")" "$(realpath "$2")" "$(realpath "$(dirname "$0")")/$3"
fi
hostname studio
mount -t tmpfs none /srv
mkdir -p /srv/{code,venv,resonate/inbox,user,kept}
mount --bind "$1" /srv/code
mount --bind "$2" /srv/venv
cd /srv/code
export PYTHONPATH=/srv/code RESONATE_HOME=/srv/resonate HOME=/srv/user TZ=UTC OMP_NUM_THREADS=1
unset USER LOGNAME DAGSTER_HOME
resonate() { /srv/venv/bin/python -m resonate_studio.cli "$@"; }

until_done() {  # the services take the file in and process it
  /srv/venv/bin/python -m resonate_studio.cli dev --port 31731 --studio-port 31732 >/dev/null &
  local services=$!
  for _ in $(seq 60); do
    sleep 5
    if resonate status --json 2>/dev/null | grep -E '"state": "(done|not accepted)"' >/dev/null; then break; fi
  done
  sleep 40  # what the automation asks for afterwards
  kill -TERM $services && wait $services || true
}

/srv/venv/bin/python - <<'PYTHON'
import numpy as np, soundfile
rate = 8000  # Hz; three seconds of a kick, a bass and a chord
t = np.arange(3 * rate) / rate
kick = 0.5 * np.sin(2 * np.pi * 50 * (t % 0.5)) * np.exp(-12 * (t % 0.5))
chord = sum(0.08 * np.sin(2 * np.pi * f * t) for f in (220, 261.63, 329.63)) * np.exp(-(t % 1.5))
soundfile.write("/srv/resonate/inbox/before.wav", kick + 0.2 * np.sin(2 * np.pi * 55 * t) + chord, rate)
PYTHON
until_done
mv /srv/resonate/dagster_home /srv/resonate/resonate.sqlite* /srv/kept/

programs=$(ls -d /usr/lib/postgresql/*/bin | tail -1)
mkdir /srv/postgresql && chown postgres /srv/postgresql
as_postgres() { (cd /srv/postgresql && setpriv --reuid postgres --regid postgres --clear-groups "$@"); }
as_postgres "$programs/initdb" -D /srv/postgresql/data -A trust -E UTF8 --locale C >/dev/null
as_postgres "$programs/pg_ctl" -D /srv/postgresql/data -o "-h 127.0.0.1 -p 31733 -k /srv/postgresql -F" -w -l /srv/postgresql/log start
trap 'as_postgres "$programs/pg_ctl" -D /srv/postgresql/data -m immediate stop' EXIT
export RESONATE_DATABASE=postgresql+psycopg2://postgres:none@127.0.0.1:31733/postgres RESONATE_POSTGRES_HOST=127.0.0.1 \
  RESONATE_POSTGRES_PORT=31733 RESONATE_POSTGRES_USER=postgres RESONATE_POSTGRES_PASSWORD=none RESONATE_POSTGRES_DATABASE=postgres
mkdir /srv/resonate/dagster_home && cp docker/dagster.yaml /srv/resonate/dagster_home/
until_done
as_postgres "$programs/pg_dump" -h 127.0.0.1 -p 31733 --no-owner --no-privileges postgres >/srv/kept.sql

rm -r /srv/resonate/dagster_home
mv /srv/kept/* /srv/resonate/
rm -rf /srv/resonate/{s3-cache,light,.work} /srv/resonate/dagster_home/{dev,studio}.log*
tar --sort=name --owner=root:0 --group=root:0 -C /srv -cf /srv/kept.tar resonate
for word in /home/ /root/ "$(dirname "$1")" "$(dirname "$2")"; do
  if grep -aqF -- "$word" /srv/kept.tar /srv/kept.sql; then echo "there is $word in it"; exit 1; fi
done
xz -9e -c /srv/kept.tar >"$3.tar.xz"
xz -9e -c /srv/kept.sql >"$3.sql.xz"
