#!/usr/bin/env bash
# Runs every check of this project on a fresh machine: makes the venv, installs, then format, lint, types, imports, tests.
# Usage: scripts/test.sh [pytest arguments]
set -euo pipefail
cd "$(dirname "$0")/.."

python="${PYTHON:-python3}"
venv="${VENV:-.venv}"
if [ ! -x "$venv/bin/python" ]; then
    echo "test.sh: making $venv"
    "$python" -m venv "$venv"
fi
stamp="$venv/.installed-dev"
if [ ! -e "$stamp" ] || [ pyproject.toml -nt "$stamp" ]; then
    echo "test.sh: installing"
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check -e '.[dev,postgres,discord]' 2> >(grep -v WARNING >&2 || true)
    touch "$stamp"
fi

# Real servers for tests, where this machine lets us install them; the tests that need an absent one skip and say so.
need=()
ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || command -v initdb >/dev/null 2>&1 || need+=(postgresql)
command -v promtool >/dev/null 2>&1 || need+=(prometheus)
if [ ${#need[@]} -gt 0 ] && command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
    echo "test.sh: installing ${need[*]}"
    export DEBIAN_FRONTEND=noninteractive
    (apt-get update -qq && apt-get install -y -qq --no-install-recommends "${need[@]}") >/dev/null 2>&1 ||
        echo "test.sh: could not install ${need[*]}; tests that need them will be skipped"
fi

export PATH="$PWD/$venv/bin:$PATH"
if [ $# -eq 0 ]; then
    ruff format --check .
    ruff check .
    mypy
    lint-imports
fi
exec pytest -n 2 --dist loadfile "$@"
