"""From the options of `/stats` to what userstats is asked, and who may ask it."""

from __future__ import annotations

from typing import Any

import pytest

from bridges.discord.commands.plain import Unclear
from bridges.discord.commands.query import Asker, Query, missing, on_behalf, personal, request, understood
from bridges.discord.settings import CommandSettings
from userstats.contract.questions import Listed

from .questions import BOARD, FEW, GAPS, GLOBAL, HEALTH, IMPORT, INNER, OWN, PROFILE, TEACH

SETTINGS = CommandSettings()
ANYWHERE = CommandSettings(anywhere=True)
AMY = Asker("1", "100")
MOD = Asker("2", "100", staff=True)
BOSS = Asker("3", "100", operator=True)
AT_HOME = Asker("1", "")
HERE = {"platform": "discord", "domain": "100"}


def said(question: str, **options: Any) -> dict[str, Any]:
    """The parameters that these options are."""
    return dict(understood({"question": question, **options}, FEW, AMY).arguments)


def asked(listed: Listed, asker: Asker, settings: CommandSettings = SETTINGS, **arguments: Any) -> dict[str, Any]:
    """What userstats is asked."""
    return request(Query(listed.question, arguments, asker.account), listed, asker, settings)


@pytest.mark.parametrize(
    ("options", "meant"),
    [
        ({}, {}),
        ({"channel": "200"}, {"channel": "200"}),
        ({"period": " 7d "}, {"since": "7d"}),
        ({"period": "2026-01-01..2026-02-01"}, {"from": "2026-01-01", "to": "2026-02-01"}),
        ({"period": "2026-01-01.."}, {"from": "2026-01-01"}),
        ({"period": "..2026-01-01"}, {"to": "2026-01-01"}),
        ({"from": "2026-01-01", "to": "2026-02-01"}, {"from": "2026-01-01", "to": "2026-02-01"}),
        ({"hours": 3, "timezone": "UTC", "limit": 5}, {"hours": 3, "tz": "UTC", "limit": 5}),
        ({"kind": "phrases", "arguments": "days=3"}, {"kind": "phrases", "days": 3}),
        ({"where": "here"}, {}),
        ({"where": "Everywhere"}, {"where": "everywhere"}),
        ({"where": "cytube:cytu.be/room"}, {"where": "cytube:cytu.be/room"}),
    ],
)
def test_options_become_parameters(options: dict[str, Any], meant: dict[str, Any]) -> None:
    assert said("board.kudos", **options) == meant


def test_a_person_is_a_name_or_a_member() -> None:
    assert said("user.profile", person=" bob ") == {"username": "bob"}
    assert said("user.profile", member="bob") == {"username": "bob"}


def test_how_the_answer_is_wanted_is_remembered() -> None:
    query = understood({"question": "Board Kudos", "private": True, "format": "csv"}, FEW, AMY)
    assert query == Query("board.kudos", {}, "1", 0, True, "csv")


@pytest.mark.parametrize(
    ("question", "options", "why"),
    [
        ("bord.kudos", {}, "there is no question `bord.kudos`; did you mean `board.kudos`?"),
        ("", {}, "there is no question ``; type a word, and choose from what is suggested"),
        ("alias.list", {"person": "bob"}, "`alias.list` takes no person; it takes nothing"),
        ("system.health", {"period": "7d"}, "`system.health` takes no period; it takes nothing"),
        (
            "user.profile",
            {"limit": 3},
            "`user.profile` takes no `limit`; it takes `username`, `platform`, `domain` and `channel`",
        ),
        ("user.profile", {"person": "a", "member": "b"}, "`username` is said twice"),
        ("board.kudos", {"channel": "2", "where": "cytube:cytu.be/x"}, "`where` and `channel` cannot both be said"),
        ("board.kudos", {"where": "a b c"}, "`a b c` is no place; write it like `cytube:cytu.be/room`, or everywhere"),
        ("board.kudos", {"days": 3, "arguments": "days=4"}, "`days` is said twice"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_said(question: str, options: dict[str, Any], why: str) -> None:
    with pytest.raises(Unclear) as unclear:
        said(question, **options)
    assert str(unclear.value) == why


def test_who_asks_on_a_server_asks_about_that_server() -> None:
    assert asked(BOARD, AMY) == {"limit": 100, **HERE}
    assert asked(BOARD, BOSS, limit=3, channel="200") == {"limit": 3, "channel": "200", **HERE}
    assert asked(BOARD, AMY, domain="100") == {"limit": 100, **HERE}
    assert asked(PROFILE, MOD, username="bob") == {"username": "bob", **HERE}


ELSEWHERE = [
    {"where": "everywhere"},
    {"where": "discord:200"},
    {"where": "cytube"},
    {"domain": "200"},
    {"platform": "cytube"},
    {"platform": "discord", "domain": "200"},
    {"where": "everywhere", **HERE},
]


@pytest.mark.parametrize("place", ELSEWHERE)
@pytest.mark.parametrize("asker", [AMY, MOD], ids=["anybody", "a moderator"])
def test_nobody_of_a_server_sees_another_one(asker: Asker, place: dict[str, Any]) -> None:
    with pytest.raises(Unclear, match="other places only operators may ask about"):
        asked(BOARD, asker, **place)


def test_operators_and_everybody_where_that_is_set_see_all_places() -> None:
    for asker, settings in ((BOSS, SETTINGS), (AMY, ANYWHERE)):
        assert asked(BOARD, asker, settings, where="everywhere") == {"limit": 100}
        assert asked(BOARD, asker, settings, where="cytube:cytu.be/x") == {
            "limit": 100, "platform": "cytube", "domain": "cytu.be", "channel": "x",
        }  # fmt: skip
        assert asked(BOARD, asker, settings, domain="cytu.be") == {"limit": 100, "domain": "cytu.be"}
        assert asked(BOARD, asker, settings) == {"limit": 100, **HERE}
        assert asked(GLOBAL, asker, settings) == {}


def test_everybody_sees_themselves_everywhere() -> None:
    assert asked(PROFILE, AMY, username="Me", where="everywhere") == {"username": "Me"}
    assert asked(PROFILE, AT_HOME, username="me") == {"username": "me"}
    assert asked(OWN, AT_HOME) == {"username": "me"}
    assert asked(OWN, AMY) == {"username": "me", **HERE}


def test_in_a_conversation_with_the_bot_one_asks_about_oneself() -> None:
    with pytest.raises(Unclear, match="in a conversation with me you can ask about yourself"):
        asked(PROFILE, AT_HOME, username="bob")


def test_what_names_people_of_all_places_is_for_operators() -> None:
    for asker in (AMY, MOD):
        with pytest.raises(Unclear, match="only operators may ask it here"):
            asked(GLOBAL, asker)
    assert asked(HEALTH, AMY) == {}


def test_what_moderators_may_ask_is_about_their_server() -> None:
    assert asked(GAPS, MOD) == {"limit": 100, **HERE}
    with pytest.raises(Unclear, match="is for those who may manage this server"):
        asked(GAPS, AMY)
    with pytest.raises(Unclear, match="only operators may ask it here"):
        asked(TEACH, MOD, username="a", alias="b")
    assert asked(TEACH, MOD, ANYWHERE, username="a", alias="b") == {"username": "a", "alias": "b"}


def test_what_operators_may_ask_nobody_else_may() -> None:
    for listed in (IMPORT, INNER):
        for settings in (SETTINGS, ANYWHERE):
            with pytest.raises(Unclear, match="is for the operators of this installation"):
                asked(listed, MOD, settings)
        assert asked(listed, BOSS) == {}


def test_what_is_still_to_be_said() -> None:
    assert [one.name for one in missing(Query("import.rows", {"first": 1}, "3"), IMPORT)] == ["batch", "rows"]
    assert missing(Query("user.private", {}, "1"), OWN) == []
    assert [one.name for one in missing(Query("user.profile", {}, "1"), PROFILE)] == ["username"]


def test_g10_what_is_about_one_person_is_shown_to_the_asker_alone() -> None:
    assert personal(Query("user.profile", {"username": "bob"}, "1"), PROFILE)
    assert not personal(Query("user.profile", {"username": "bob"}, "1", private=False), PROFILE)
    assert personal(Query("user.private", {}, "1", private=False), OWN)
    assert personal(Query("system.gaps", {}, "1", private=False), GAPS)
    assert not personal(Query("board.kudos", {}, "1"), BOARD)
    assert personal(Query("board.kudos", {}, "1", private=True), BOARD)


def test_it_is_asked_for_whoever_asks_but_what_only_staff_may_ask() -> None:
    assert [on_behalf(one, MOD) for one in (BOARD, OWN, GAPS, INNER)] == ["discord:2", "discord:2", "", ""]
