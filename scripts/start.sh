#!/usr/bin/env bash
# Starts everything: broker, userstats and the bridges of the configuration. Ctrl-C stops it all.
# Usage: scripts/start.sh [CONFIG] [--demo] [--channel cytu.be/NAME] [--background | --stop | --status]
set -euo pipefail
# shellcheck source=scripts/prepare.sh
. "$(dirname "${BASH_SOURCE[0]}")/prepare.sh"
exec "$python" "$root/scripts/up.py" "$@"
