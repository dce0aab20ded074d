"""What people choose and prove while a bridge is in their room: codes that are typed to it, and who may be told of."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from bridges.text import link_code
from tests.bridges.desk import FakeDesk
from tests.stand_ins.cytube import StandIn
from userstats.contract.admission import Consents
from userstats.contract.consents import Choice, Level
from userstats.contract.privacy import PrivacySettings

from .watching import Watching, bridge_to


class Asking(FakeDesk):
    """Remembers what it is asked, and answers as userstats would; `gate` holds the answers back."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[str, Mapping[str, Any]]] = []
        self.gate = asyncio.Event()
        self.gate.set()

    async def ask(self, question: str, request: Mapping[str, Any], timeout: float, account: str = "") -> bytes:
        self.asked.append((question, request))
        await self.gate.wait()
        return b'{"success": true, "data": {"changed": true, "message": "x"}}'

    def choose(self, name: str, level: Level) -> None:
        """From now on this holds for somebody in the stand-in's room."""
        person = next(number for number, label in self.pseudonyms.labels.items() if label == name)
        self.consent = Consents(
            PrivacySettings(), self.pseudonyms.anonymous, [Choice(person, "messages", level)], len(self.asked) + 1
        )


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("!link ABCDEFGH", "ABCDEFGH"),
        ("!link abcd-efgh", "ABCDEFGH"),
        ("  !link   ABCD-EFGH  ", "ABCDEFGH"),
        ("!link ABCDEFG", ""),
        ("!link ABCD-EFGH please", ""),
        ("please !link ABCD-EFGH", ""),
        ("!linkABCDEFGH", ""),
        ("!link" + " " * 300 + "ABCDEFGH", ""),
        ("hello", ""),
    ],
)
def test_a_code_is_only_what_is_a_whole_message(typed: str, code: str) -> None:
    assert link_code(typed) == code


async def test_a_code_typed_to_the_bot_is_handed_on_and_counts_as_no_message() -> None:
    desk = Asking()
    async with StandIn() as site:
        room = site.room("lounge")
        amy, guest = await room.enter("Amy", rank=1), await room.enter("Visitor", rank=0)
        async with Watching(bridge_to(site, name="StatsBot"), desk) as seen:
            await seen.joined()
            await guest.pm("StatsBot", "!link GGGG-GGGG")
            await amy.pm("StatsBot", "!link abcd-efgh")
            await amy.pm("StatsBot", "one more")
            await seen.until(lambda: seen.of("PrivateMessageSent"))

    request = {"code": "ABCDEFGH", "platform": "cytube", "account": f"{site.url.split('//')[1]}/amy"}
    assert desk.asked == [("link.confirm", request)]
    assert [event["words"] for event in seen.of("PrivateMessageSent")] == [2]


async def test_codes_typed_while_one_is_asked_about_are_dropped_and_the_room_is_heard_on() -> None:
    desk = Asking()
    desk.gate.clear()
    async with StandIn() as site:
        amy = await site.room("lounge").enter("Amy", rank=1)
        async with Watching(bridge_to(site, name="StatsBot"), desk) as seen:
            await seen.joined()
            for number in range(5):
                await amy.pm("StatsBot", f"!link AAAA-AAA{number}")
            await amy.say("still here")
            await seen.until(lambda: seen.of("MessageSent"))

    assert len(desk.asked) == 1


async def test_who_opts_in_is_told_of_at_once() -> None:
    desk = Asking()
    async with StandIn() as site:
        room = site.room("lounge")
        amy = await room.enter("Amy")
        async with Watching(bridge_to(site), desk) as seen:
            await seen.joined()
            told = len(seen.told)
            desk.choose("amy", "off")
            await amy.say("one")
            await seen.until(lambda: len(seen.of("RosterSeen")) == 2)
            await amy.say("two")
            await seen.until(lambda: len(seen.of("MessageSent")) == 2)

    kinds = [event["kind"] for event in seen.told[told:]]
    assert kinds == ["MessageSent", "Named", "RosterSeen", "MessageSent"]
