"""The import tool against a real broker and a real userstats, killed on the way."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.brokers import Brokers
from tests.e2e.processes import Part, ask, configure
from tests.old_kryten import EVENING, ROOM, SITE, Tables, old_database
from tests.tools import run

TOOL = "scripts/import_kryten.py"
PEOPLE = 1500
CROWD: Tables = {
    "users": [(f"u{n}", "2026-01-01T00:00:00", "2026-02-01T00:00:00") for n in range(PEOPLE)],
    "message_counts": [(f"u{n}", ROOM, SITE, n) for n in range(PEOPLE)],
    "user_activity": [(f"u{n}", ROOM, SITE, 2 * n, n) for n in range(PEOPLE)],
}


async def totals(client: Any) -> tuple[int, int, int]:
    data = (await ask(client, "system.stats"))["data"]
    return data["total_users"], data["total_messages"], data["total_pms"]


async def test_a_database_is_imported_once_with_one_command(fresh_broker: Brokers) -> None:
    folder = fresh_broker.folder
    configure(folder, nats={"port": -1}, http={"port": 0})
    old_database(folder / "old.db")
    client = await fresh_broker.connect("client")
    async with Part(folder, "userstats"):
        await ask(client, "system.ping")
        dry = await run(folder, TOOL, "--db", "old.db", "--dry-run")
        before = await totals(client)
        first = await run(folder, TOOL, "--db", "old.db")
        after = await totals(client)
        second = await run(folder, TOOL, "--db", "old.db")
        imports = (await ask(client, "system.imports"))["data"]
        aliases = (await ask(client, "alias.list"))["data"]

        assert await totals(client) == after
    assert (dry.code, first.code, second.code) == (0, 0, 0), (dry, first, second)
    assert (before, after) == ((0, 0, 0), (3, 435, 8))
    assert [line.split(" as opening balance")[0] for line in (dry.out, first.out, second.out)] == [
        "Would take over", "Taken over", "Nothing was changed: it was taken over before,",
    ]  # fmt: skip
    assert first.out.endswith("\n\nNot taken: 0 rows. Merged: 1. Changed: 0.\n")
    rows = sum(map(len, EVENING.values()))
    assert [(one["file"], one["rows"], one["merged"], one["refused"]) for one in imports] == [("old.db", rows, 1, 0)]
    assert aliases == [{"username": "Alice", "aliases": ["al", "ally"]}, {"username": "Bob", "aliases": ["bobby"]}]


async def test_an_import_that_is_killed_on_the_way_is_exact_when_it_is_run_again(fresh_broker: Brokers) -> None:
    folder = fresh_broker.folder
    configure(folder, nats={"port": -1}, http={"port": 0})
    old_database(folder / "old.db", CROWD)
    client = await fresh_broker.connect("client")
    userstats = Part(folder, "userstats")
    await userstats.start()
    await ask(client, "system.ping")
    running = asyncio.create_task(run(folder, TOOL, "--db", "old.db", "--timeout", "2"))
    async with asyncio.timeout(30):
        while sum(one["recorded"] for one in (await ask(client, "system.imports"))["data"]) < 500:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    await userstats.kill()
    killed = await running
    async with userstats:
        (unfinished,) = (await ask(client, "system.imports"))["data"]
        again = await run(folder, TOOL, "--db", "old.db")

        assert await totals(client) == (PEOPLE, PEOPLE * (PEOPLE - 1) // 2, 0)
        (finished,) = (await ask(client, "system.imports"))["data"]
        activity = (await ask(client, "user.activity", username="u9", channel=ROOM))["data"]
    assert killed.code in {4, 5}, killed
    assert killed.err.endswith("; what was begun is gone on with when it is run again\n")
    assert unfinished["finished"] is None
    assert 500 <= unfinished["recorded"] < unfinished["events"]
    assert again.code == 0, again
    assert finished["recorded"] == finished["events"]
    assert [(one["total_ms"], one["not_afk_ms"]) for one in activity] == [(18_000, 9_000)]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--db", "old.db"), 4, "import_kryten.py: no broker: no embedded broker runs in data/broker (the embedded "),
        (("--db", "missing.db"), 1, "import_kryten.py: missing.db: there is no such file"),
        (
            ("--db", "old.db", "--domain", "http://x/y"),
            2,
            "import_kryten.py: --domain http://x/y: no address of a site",
        ),
        ((), 2, "usage: import_kryten.py"),
    ],
)
async def test_whatever_is_wrong_is_one_sentence_and_an_exit_code(
    tmp_path: Path, words: tuple[str, ...], code: int, said: str
) -> None:
    old_database(tmp_path / "old.db", EVENING)

    ran = await run(tmp_path, TOOL, *words)

    assert (ran.code, ran.out) == (code, "")
    assert ran.err.startswith(said)
