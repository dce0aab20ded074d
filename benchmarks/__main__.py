"""`python -m benchmarks discord|ingest|publish|questions --events N`: the measured promises, runnable by anyone."""

from __future__ import annotations

import argparse
import json
import platform
import sys
from typing import Any


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("what", choices=("discord", "ingest", "publish", "questions"))
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--url", default="", help="a PostgreSQL URL; SQLite where absent")
    parser.add_argument("--json", action="store_true", help="one JSON object, nothing else")
    options = parser.parse_args()
    result = measure(options)
    if options.json:
        print(json.dumps(result))
    else:
        print(f"{platform.machine()}, Python {platform.python_version()}")
        for name, value in result.items():
            print(f"{name}: {value}")
    return 0


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Run one benchmark; each module is imported only when asked for."""
    if options.what == "publish":
        from benchmarks import publish  # noqa: PLC0415

        return publish.run(options.events)
    if options.what == "discord":
        from benchmarks import discord_cost  # noqa: PLC0415

        return discord_cost.run(options.events)
    if options.what == "ingest":
        from benchmarks import ingest  # noqa: PLC0415

        return ingest.run(options.events, options.url)
    from benchmarks import questions  # noqa: PLC0415

    return questions.run(options.events, options.url)


if __name__ == "__main__":
    sys.exit(main())
