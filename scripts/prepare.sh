# shellcheck shell=bash
# Sourced by the start scripts: makes the venv and installs the project into it, saying so.
# After it, $python is the venv's python and the working directory is where the user was.

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
venv="${VENV:-$root/.venv}"
python="$venv/bin/python"

if [ ! -x "$python" ]; then
    base="${PYTHON:-python3}"
    command -v "$base" >/dev/null 2>&1 || { echo "start: Python 3.11 or newer is needed, and there is no $base" >&2; exit 1; }
    "$base" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
        { echo "start: Python 3.11 or newer is needed; $base is $("$base" -V 2>&1). Set PYTHON to a newer one." >&2; exit 1; }
    echo "  python      making $venv"
    "$base" -m venv "$venv"
fi
stamp="$venv/.installed"
if [ ! -e "$stamp" ] || [ "$root/pyproject.toml" -nt "$stamp" ]; then
    echo "  python      installing (about half a minute)"
    log="$venv/install.log"
    if ! "$python" -m pip install --disable-pip-version-check -e "$root${EXTRAS:-}" >"$log" 2>&1; then
        tail -n 20 "$log" >&2
        echo "start: the installation failed; all of it: $log" >&2
        exit 1
    fi
    touch "$stamp"
fi
