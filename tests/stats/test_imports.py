"""Imports as they are asked about and asked for; what they do to the numbers is in tests/test_import.py."""

from __future__ import annotations

from typing import Any, Final

import pytest

from tests.old_kryten import NOW, Asking
from tests.say import World, key
from tests.stats.ask import ask
from userstats.contract.questions import Failure
from userstats.stats import imports as room
from userstats.stats import messages, people
from userstats.stats.imports import Import, Remark, TakenTable
from userstats.store.seam import Store

PLACE: Final = {"platform": "cytube", "space": "cytu.be", "channel": "lounge"}
BEGIN: Final = {
    "batch": "b1", "source": "kryten-userstats", "file": "old.db", "facts": 2, "names": 1, "rooms": [PLACE],
}  # fmt: skip
AT: Final = 1_760_000_000_000
FACTS: Final = [
    {"type": "balance", "account": "cytu.be/amy", "name": "amy", "at": AT, "messages": 3},
    {"type": "balance", "account": "cytu.be/bob", "name": "bob", "at": AT, "messages": 4},
]
NAME: Final = {"type": "name", "account": "cytu.be/amy", "name": "Amy", "at": AT}


@pytest.fixture
async def world(store: Store) -> World:
    world = await World.open(store, room.STATISTIC, people.STATISTIC, messages.STATISTIC)
    world.now = NOW
    return world


async def refusal(asking: Asking, question: str, **values: Any) -> tuple[int, str]:
    found = await asking.reply(question, **values)
    assert isinstance(found, Failure), found
    return found.error.code, found.error.message


async def test_an_import_goes_from_begun_to_finished(world: World) -> None:
    asking = Asking(world)
    assert await asking.ask("import.begin", **BEGIN) == {"state": "new", "next": 1}
    await asking.ask("import.rows", batch="b1", first=1, room=PLACE, rows=FACTS)
    assert await asking.ask("import.begin", **BEGIN) == {"state": "interrupted", "next": 3}
    (unfinished,) = await ask(world, "system.imports")
    assert await asking.ask("import.rows", batch="b1", first=3, room=PLACE, rows=[NAME]) == {"rows": 1}
    tables = [
        {"table": "users", "rows": 1, "taken": 1},
        {"table": "message_counts", "rows": 4, "taken": 2, "refused": 2},
    ]
    assert await asking.ask("import.finish", batch="b1", tables=tables) == {"state": "finished", "next": 4}
    assert await asking.ask("import.begin", **BEGIN) == {"state": "finished", "next": 4}
    (finished,) = await ask(world, "system.imports")

    assert (unfinished.finished, unfinished.recorded, unfinished.events, unfinished.tables) == (None, 2, 3, [])
    assert finished == Import(
        batch="b1", source="kryten-userstats", file="old.db", rooms=["cytu.be/lounge"], started=unfinished.started,
        finished=finished.finished, recorded=3, events=3, rows=5, taken=3, merged=0, refused=2,
        tables=[TakenTable("message_counts", 4, 2, 0, 2), TakenTable("users", 1, 1, 0, 0)],
    )  # fmt: skip
    assert finished.finished is not None
    assert await world.rows("SELECT SUM(messages) FROM person_totals") == [(7,)]
    assert await world.rows("SELECT name_key, name FROM names") == [(key("amy"), "Amy")]


async def test_rows_come_after_the_beginning_and_the_end_after_all_rows(world: World) -> None:
    asking = Asking(world)
    assert await refusal(asking, "import.rows", batch="b1", first=1, room=PLACE, rows=FACTS) == (
        409, "no import b1 was begun; say import.begin first",
    )  # fmt: skip
    await asking.ask("import.begin", **BEGIN)
    assert await refusal(asking, "import.rows", batch="b1", first=3, room=PLACE, rows=FACTS) == (
        400, "first: rows 3 to 4 are not among the 3 announced",
    )  # fmt: skip
    assert await refusal(asking, "import.rows", batch="b1", first=0, room=PLACE, rows=FACTS) == (
        400, "first: rows 0 to 1 are not among the 3 announced",
    )  # fmt: skip
    assert await refusal(asking, "import.finish", batch="b1", tables=[]) == (
        409, "row 1 of 3 is not recorded yet; run the import again",
    )  # fmt: skip


async def test_a_room_is_imported_once(world: World) -> None:
    asking = Asking(world)
    elsewhere = {**PLACE, "channel": "lobby"}
    await asking.ask("import.begin", **BEGIN)

    begun = await refusal(asking, "import.begin", **{**BEGIN, "batch": "b2", "rooms": [elsewhere, PLACE]})
    other = await asking.ask("import.begin", **{**BEGIN, "batch": "b3", "rooms": [elsewhere]})

    assert begun == (409, "an import of cytu.be/lounge was begun (batch b1); finish it with the database as it was")
    assert other["state"] == "new"


@pytest.mark.parametrize(
    "change",
    [{"messages": -1}, {"messages": 2**31}, {"name": "a\nb"}, {"name": ""}, {"at": 5}, {"type": "wish"}, {"more": 1}],
)
async def test_a_row_that_is_none_is_refused_and_nothing_recorded(world: World, change: dict[str, Any]) -> None:
    asking = Asking(world)
    await asking.ask("import.begin", **BEGIN)

    code, _ = await refusal(asking, "import.rows", batch="b1", first=1, room=PLACE, rows=[{**FACTS[0], **change}])

    assert code == 400
    assert await world.rows("SELECT COUNT(*) FROM import_events") == [(1,)]


async def test_remarks_are_kept_once_and_found_by_batch_and_outcome(world: World) -> None:
    asking = Asking(world)
    await asking.ask("import.begin", **BEGIN)
    await asking.ask("import.begin", **{**BEGIN, "batch": "b2", "rooms": []})
    said = {"table": "users", "outcome": "refused", "reason": "name", "rows": [7, 5]}
    await asking.ask("import.remark", batch="b1", **said)
    await asking.ask("import.remark", batch="b1", **said)
    await asking.ask("import.remark", batch="b2", **{**said, "outcome": "merged", "reason": "capitals", "rows": [1]})

    refused = [Remark("users", 5, "refused", "name"), Remark("users", 7, "refused", "name")]
    assert await ask(world, "system.import_remarks") == [*refused, Remark("users", 1, "merged", "capitals")]
    assert await ask(world, "system.import_remarks", batch="b1") == refused
    assert await ask(world, "system.import_remarks", outcome="refused", limit=1) == refused[:1]


async def test_only_an_operator_may_import(world: World) -> None:
    questions = world.service.catalogue.questions

    assert {
        name: (one.audience, one.changes) for name, one in questions.items() if name.startswith("import.")
    } == dict.fromkeys(("import.begin", "import.rows", "import.remark", "import.finish"), ("operator", True))
    assert await ask(world, "system.imports", "everyone") == []
