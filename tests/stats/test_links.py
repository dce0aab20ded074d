"""A Discord account and a CyTube name are one person: proven on both sides, counted together, taken apart again."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.say import World, alias_added, message, named, person
from tests.say_consent import chose, linked, unlinked
from tests.stats.ask import ask
from tests.stats.changing import change, refused
from userstats.asking import Refused
from userstats.contract.events import Place
from userstats.contract.questions import Account
from userstats.link_codes import LinkCodes
from userstats.linking import Linking
from userstats.recorder import Changed
from userstats.stats.kudos import Pair, Thanked
from userstats.stats.links import Linked
from userstats.stats.messages import Talker

CHAT = Place("discord", "100", "200")
GUILD = Place("discord", "100", "")
DEE = Account("discord", "4711")
AMY = Account("cytube", "amy")
BOB = Account("cytube", "bob")
ONE = Changed(True, "these accounts are one person now")
WRONG = (404, "this code is wrong, over, or meant to be typed elsewhere")


async def evening(world: World) -> None:
    """Dee (on Discord) and Amy (on CyTube) are one; she says 2 things there and 3 here, Bob says 4."""
    await world.tell(
        "20:00", named("Dee", GUILD, account="4711"), named("Fay", GUILD, account="4712"), named("amy"), named("bob"),
        *(message("4711", CHAT) for _ in range(2)), *(message("amy") for _ in range(3)),
        *(message("bob") for _ in range(4)), message("bob", thanks=["amy"]), message("4712", CHAT, thanks=["Dee"]),
        message("amy", thanks=["bob"]), message("4711", CHAT, thanks=["Dee"]), "20:30",
    )  # fmt: skip


async def link(world: World) -> str:
    """Dee gets a code, Amy types it."""
    begun = await change(world, "link.begin", "bridge", DEE, on="cytube")
    assert await change(world, "link.confirm", "bridge", code=begun.code, platform="cytube", account="Amy") == ONE
    return str(begun.code)


async def boards(world: World) -> list[Any]:
    return [
        await ask(world, "leaderboard.messages", since="all"),
        await ask(world, "leaderboard.messages", since="1d"),
        await ask(world, "leaderboard.kudos", since="all"),
        await ask(world, "leaderboard.kudos", since="1d"),
        await ask(world, "kudos.pairs", since="all"),
        (await ask(world, "user.stats", username="amy")).messages,
    ]


async def test_n3_linked_accounts_are_one_person_on_boards_and_cards_and_apart_again_after_undo(world: World) -> None:
    await evening(world)
    before = await boards(world)

    await link(world)
    joined = await boards(world)
    card = await ask(world, "user.stats", username="Dee")
    undone = await change(world, "link.undo", "bridge", AMY)

    board = [Talker("Dee", 7), Talker("bob", 5), Talker("Fay", 1)]
    thanks = [Thanked("Dee", 2), Thanked("bob", 1)]
    assert joined == [board, board, thanks, thanks, joined[4], 7]
    assert sorted(joined[4], key=str) == sorted(
        [Pair("bob", "Dee", 1), Pair("Fay", "Dee", 1), Pair("Dee", "bob", 1)], key=str
    )
    assert (card.username, card.messages, card.kudos_plusplus, card.kudos_given) == ("Dee", 7, 2, 1)
    assert {one.platform for one in card.channels} == {"cytube", "discord"}
    assert undone == Changed(True, "1 link is taken back")
    assert await boards(world) == before
    assert before[0] == [Talker("bob", 5), Talker("amy", 4), Talker("Dee", 3), Talker("Fay", 1)]


async def test_who_is_linked_is_shown_to_both_sides(world: World) -> None:
    await evening(world)
    await link(world)

    assert await ask(world, "link.show", "bridge", DEE) == [
        Linked("amy", "cytube", "cytu.be", "2025-03-03T20:30:00+00:00")
    ]
    assert [one.username for one in await ask(world, "link.show", "bridge", AMY)] == ["Dee"]
    assert await ask(world, "link.show", "bridge", BOB) == []


async def test_thanks_to_oneself_under_the_other_account_do_not_count(world: World) -> None:
    await evening(world)
    await world.tell(message("amy", thanks=["amy"]), message("4711", CHAT, thanks=["Dee"]))
    await link(world)

    verdicts = {one.verdict: one.count for one in await ask(world, "kudos.verdicts", since="all")}

    assert (verdicts["counted"], verdicts["self"]) == (3, 3)


async def test_oneself_is_all_of_ones_accounts(world: World) -> None:
    await evening(world)
    await world.tell(chose("amy", "off"))
    await link(world)

    mine = await ask(world, "user.stats", "bridge", DEE, username="me")
    seen = await ask(world, "user.stats", "everyone", username="Dee")

    assert (mine.messages, seen.messages) == (7, 3)
    assert await ask(world, "leaderboard.messages", since="all") == [
        Talker("bob", 5), Talker("Dee", 3), Talker("Fay", 1),
    ]  # fmt: skip
    kudos = await ask(world, "leaderboard.kudos", since="all")
    assert sorted(kudos, key=str) == [Thanked("Dee", 1), Thanked("bob", 1)]


async def test_a_link_takes_along_who_shares_an_alias(world: World) -> None:
    await evening(world)
    await world.tell(alias_added("amy", "bob"))
    await link(world)

    assert await ask(world, "leaderboard.messages", since="all") == [Talker("Dee", 12), Talker("Fay", 1)]
    assert await ask(world, "leaderboard.kudos", since="all") == [Thanked("Dee", 1)]


async def test_an_account_is_linked_once_and_one_may_have_several(world: World) -> None:
    await evening(world)
    await link(world)
    again = await change(world, "link.begin", "bridge", DEE)
    bob = await change(world, "link.begin", "bridge", BOB)
    more = await change(world, "link.begin", "bridge", DEE)

    async def typed(code: str, who: Account) -> Any:
        return await change(world, "link.confirm", "bridge", who, code=code)

    assert (await refused(world, "link.confirm", "bridge", AMY, code=again.code)) == WRONG
    assert await refused(world, "link.confirm", "bridge", DEE, code=bob.code) == (
        409, "this account is linked with another one already; take that link back first",
    )  # fmt: skip
    assert await typed(more.code, BOB) == ONE
    assert await typed((await change(world, "link.begin", "bridge", DEE)).code, AMY) == Changed(
        False, "these accounts are one person already"
    )
    assert [one.username for one in await ask(world, "link.show", "bridge", AMY)] == ["Dee", "bob"]
    assert await change(world, "link.undo", "bridge", DEE) == Changed(True, "2 links are taken back")
    assert await change(world, "link.undo", "bridge", DEE) == Changed(False, "there is no link")


async def test_two_people_with_links_are_not_made_one_by_an_alias(world: World) -> None:
    await evening(world)
    await link(world)
    begun = await change(world, "link.begin", "bridge", Account("discord", "99"))
    await change(world, "link.confirm", "bridge", BOB, code=begun.code)

    assert await change(world, "alias.add", username="amy", alias="bob") == Changed(
        False, "'bob' and 'amy' are linked with different accounts; one must take that back"
    )


async def test_only_the_person_a_bridge_and_the_operator_link(world: World) -> None:
    named_account = {"platform": "cytube", "account": "amy"}

    assert (await refused(world, "link.begin", "staff", **named_account))[0] == 403  # type: ignore[arg-type]
    assert (await refused(world, "link.confirm", "everyone", code="X", **named_account))[0] == 403  # type: ignore[arg-type]
    assert (await refused(world, "link.undo", "bridge", DEE, **named_account))[0] == 403
    assert (await refused(world, "link.begin"))[0] == 400


# --- codes ---


def test_a_code_is_long_random_and_of_characters_that_are_not_mistaken() -> None:
    codes = LinkCodes()

    found = {codes.begin(number, "discord", "", 0) for number in range(500)}

    assert len(found) == 500
    assert {len(code) for code in found} == {8}
    assert set("".join(found)) <= set("ABCDEFGHJKMNPQRSTUVWXYZ23456789")


def test_a_code_is_typed_once_in_time_elsewhere_and_by_somebody_else() -> None:
    codes = LinkCodes()

    def begin(on: str = "cytube") -> str:
        return codes.begin(1, "discord", on, 0)

    def wrong(code: str, person: int, platform: str, now: int = 1) -> int:
        with pytest.raises(Refused) as error:
            codes.typed(code, person, platform, now)
        return error.value.code

    assert codes.typed(begin().lower(), 2, "cytube", 599_999).person == 1
    assert wrong(begin(), 2, "discord") == 404
    assert wrong(begin(on=""), 2, "discord") == 404
    assert wrong(begin(on="discord"), 1, "discord") == 404
    assert wrong(begin(), 3, "cytube", 600_000) == 404
    first, _ = begin(), begin()
    assert wrong(first, 4, "cytube") == 404


def test_codes_cannot_be_guessed_by_trying_many() -> None:
    codes = LinkCodes()
    code = codes.begin(1, "discord", "", 0)

    said = []
    for number in range(7):
        with pytest.raises(Refused) as error:
            codes.typed(f"WRONG{number}", 2, "cytube", 1000 + number)
        said.append(error.value.code)
    with pytest.raises(Refused) as error:
        codes.typed(code, 2, "cytube", 2000)

    assert said == [404] * 5 + [429] * 2
    assert error.value.code == 429
    assert codes.typed(codes.begin(1, "discord", "", 700_000), 2, "cytube", 700_001).person == 1


# --- in the order of the stream ---


async def test_links_survive_a_restart_and_only_userstats_says_them(world: World) -> None:
    one, other = person("4711", "discord"), person("amy")
    await world.tell(linked(one, other, "a"), linked(other, 77, "b"), linked(88, other, "c"), linked(one, 99, "d"))
    await world.restart()
    await world.tell(unlinked("a"), unlinked("zz"), linked(88, other, "e"))

    assert await world.rows("SELECT other, person, link FROM links ORDER BY link") == [(99, one, "d"), (other, 88, "e")]


@settings(max_examples=200)
@given(st.lists(st.tuples(st.integers(1, 6), st.integers(1, 6), st.integers(1, 12)), max_size=30))
def test_links_are_stars_whatever_was_said(said: list[tuple[int, int, int]]) -> None:
    linking = Linking()
    for one, other, number in said:
        if linking._fits(one, other):
            linking._add(other, one, f"link {number}")

    assert set(linking._with) & set(linking._others) == set()
    assert sum(linking._others.values()) == len(linking._with)
    again = Linking([(other, one, link) for link, others in linking._links.items() for other in others
                     for one in [linking._with[other]]])  # fmt: skip
    assert (again._with, again._others) == (linking._with, linking._others)
