#!/usr/bin/env bash
# Starts userstats, and a broker where none is configured, but no bridges.
# Usage: scripts/start-userstats.sh [CONFIG] [--background | --stop | --status]
set -euo pipefail
# shellcheck source=scripts/prepare.sh
. "$(dirname "${BASH_SOURCE[0]}")/prepare.sh"
exec "$python" "$root/scripts/up.py" --only userstats "$@"
