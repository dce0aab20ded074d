"""Takes over what a kryten-userstats database counted, as a labelled opening balance. Run it again: nothing changes.

Usage: python scripts/import_kryten.py --db old.db [--domain cytu.be] [--dry-run]
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

if not __package__:
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))


from scripts.kryten_checks import REASONS, Refused
from scripts.kryten_database import Unusable, opened
from scripts.kryten_plan import Plan, plan
from scripts.kryten_sending import send
from scripts.service import CODES, Trouble, add_options, running
from userstats.surfaces.cli.exits import Exit


def arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        "import_kryten.py",
        description="Take over what a kryten-userstats database counted, as an opening balance.",
        epilog=CODES,
    )
    parser.add_argument("--db", type=Path, required=True, metavar="FILE", help="the old SQLite database; only read")
    parser.add_argument(
        "--domain", default="cytu.be", help="the site of people of whom no row says it (default: cytu.be)"
    )
    parser.add_argument("--dry-run", action="store_true", help="say what would be taken over, and change nothing")
    add_options(parser)
    return parser.parse_args(given)


def main(given: Sequence[str] | None = None) -> int:
    """Run one command line and return its exit code."""
    options = arguments(given)
    try:
        with opened(options.db) as database:
            planned = plan(database, options.domain, int(time.time() * 1000))
        done = "Would take over" if options.dry_run else asyncio.run(_take_over(planned, options))
    except Unusable as unusable:
        return _fail(Exit.FAILURE, f"{options.db}: {unusable}")
    except Refused:
        return _fail(Exit.USAGE, f"--domain {options.domain}: {REASONS['domain']}")
    except Trouble as trouble:
        return _fail(trouble.code, f"{trouble.message}; what was begun is gone on with when it is run again")
    print("\n".join(report(planned, done)))
    return Exit.OK


def report(planned: Plan, done: str) -> Iterator[str]:
    """What was or would be taken over: sums, tables, and every row that was not simply taken over."""
    rooms = ", ".join(f"{room.space}/{room.channel}" for room in planned.rooms) or "no rooms"
    yield f"{done} as opening balance {planned.batch}: {rooms}"
    yield ""
    for what, number in planned.totals.items():
        yield f"  {what:20} {number:>14,}"
    yield ""
    yield f"  {'table':24} {'rows':>10} {'taken':>10} {'merged':>10} {'refused':>10}"
    for table in planned.source.tables:
        yield f"  {table.table:24} {table.rows:>10} {table.taken:>10} {table.merged:>10} {table.refused:>10}"
    if planned.source.remarks:
        yield ""
        yield from map(str, planned.source.remarks)
    left = Counter(remark.outcome for remark in planned.source.remarks)
    yield ""
    yield f"Not taken: {left['refused']} rows. Merged: {left['merged']}. Changed: {left['changed']}."


async def _take_over(planned: Plan, options: argparse.Namespace) -> str:
    """Say all of it to the running userstats, and what was done in words. Raises Trouble."""
    async with running(options) as service:
        if await send(service, planned, options.db.name, _progress):
            return "Taken over"
        return "Nothing was changed: it was taken over before,"


def _progress(done: int, rows: int) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\r{done} of {rows} " + ("\n" if done == rows else ""))


def _fail(code: Exit, message: str) -> int:
    sys.stderr.write(f"import_kryten.py: {message}\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
