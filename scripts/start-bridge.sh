#!/usr/bin/env bash
# Starts one bridge against a broker that runs already.
# Usage: scripts/start-bridge.sh cytube|kryten|demo [CONFIG] [--background | --stop | --status]
set -euo pipefail
if [ $# -eq 0 ]; then
    echo "usage: $0 cytube|kryten|demo [CONFIG] [--background | --stop | --status]" >&2
    exit 2
fi
bridge="$1"
shift
# shellcheck source=scripts/prepare.sh
. "$(dirname "${BASH_SOURCE[0]}")/prepare.sh"
exec "$python" "$root/scripts/up.py" --only bridge --bridge "$bridge" "$@"
