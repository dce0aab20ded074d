"""The line to userstats: what goes wrong on it, in words; which questions there are; names; how much at once."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import msgspec
import nats.errors
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridges.discord.commands.catalogue import Catalogue
from bridges.discord.commands.line import Line, in_words, refused, suggested
from bridges.discord.commands.manners import AT_ONCE, BURST, REFILL, Busy, Manners
from bridges.discord.commands.names import Names
from bridges.discord.commands.plain import LONGEST_CONTENT, all_of, plain, sentence, shortened, units

from .asking import Kept
from .questions import BOARD, PROFILE

GONE = "The statistics do not answer at the moment. Nothing is lost; ask again in a minute."
LATE = "The statistics took too long for this one. Ask again in a minute, or for a shorter period."
SENSELESS = "The statistics gave an answer that makes no sense here. Bridge and userstats may be of two versions."


class Scripted:
    """Gives what it was told to, one after the other."""

    def __init__(self, *answers: bytes | Exception) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, Mapping[str, Any], str]] = []

    async def ask(self, question: str, request: Mapping[str, Any], timeout: float, account: str = "") -> bytes:
        self.asked.append((question, request, account))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def answered(data: Any) -> bytes:
    """A reply."""
    return json.dumps({"success": True, "data": msgspec.to_builtins(data)}).encode()


def refusal(code: int, message: str, **details: Any) -> dict[str, Any]:
    """A refusal of userstats."""
    return {"success": False, "question": "q", "error": {"code": code, "message": message, "details": details}}


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (TimeoutError(), LATE),
        (nats.errors.TimeoutError(), LATE),
        (nats.errors.NoRespondersError(), GONE),
        (nats.errors.ConnectionClosedError(), GONE),
        (ConnectionResetError(), GONE),
        (b"no JSON", SENSELESS),
        (b"[1]", SENSELESS),
        (b'{"success": true}', SENSELESS),
        (b'{"error": "x"}', SENSELESS),
        (b"\xff", SENSELESS),
        (b"[" * 100_000, SENSELESS),
    ],
)
async def test_what_goes_wrong_on_the_way_is_an_answer_in_words(answer: bytes | Exception, words: str) -> None:
    reply = await Line(Scripted(answer)).ask("q", {})
    assert refused(reply)
    assert in_words(reply) == words


async def test_a_cut_line_is_said_once_and_once_that_it_is_whole_again(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    line = Line(Scripted(TimeoutError(), TimeoutError(), answered(1), answered(1)))
    for _ in range(4):
        await line.ask("board.kudos", {"username": "amy"})
    assert [one.getMessage() for one in caplog.records] == [
        "commands: userstats does not answer board.kudos (no answer in time)",
        "commands: userstats answers again",
    ]


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (
            refusal(404, "nobody called 'amyy' was ever seen on 100", did_you_mean=["amy", "am`y"]),
            "Nobody called `amyy` was ever seen on this server; did you mean `amy` and `amˋy`?",
        ),
        (refusal(404, "nothing is known about domain '1'", known=["discord:5/6"]), "Nothing was counted there yet."),
        (
            refusal(409, "'amy' is several people: on cytube:cytu.be, discord:100; say which with domain"),
            "`amy` is several people: on cytube:cytu.be, this server; say which with domain.",
        ),
        (refusal(403, "'@everyone' keeps it to themselves"), "`@everyone` keeps it to themselves."),
        (refusal(400, "tz: no such time zone: '**x**' <@1>"), "tz: no such time zone: `**x**` \\<@\u200b1\\>."),
        (refusal(503, "recorded, but not counted yet; look again"), "Recorded, but not counted yet; look again."),
        (refusal(404, "not tracked: the platform does not tell this bot", tracked=False),
         "Not tracked: the platform does not tell this bot."),
    ],
)  # fmt: skip
def test_a_refusal_is_said_in_words_that_name_no_other_place(reply: dict[str, Any], words: str) -> None:
    assert in_words(reply, guild="100") == words


def test_operators_are_told_which_places_there_are() -> None:
    reply = refusal(404, "nothing is known about domain '1'", known=["discord:5/6"])
    assert in_words(reply, operator=True) == "Nothing is known about domain `1`; known are `discord:5/6`."


@given(st.text(max_size=4000), st.lists(st.text(max_size=300), max_size=20))
def test_g22_any_refusal_is_a_message_that_discord_takes(message: str, names: list[str]) -> None:
    said = in_words(refusal(404, message, did_you_mean=names))
    assert 0 < units(said) <= LONGEST_CONTENT
    assert "@everyone" not in said.replace("`@everyone", "")
    assert len(suggested(refusal(404, message, did_you_mean=names))) <= 5


@given(st.text(), st.integers(1, 50))
def test_what_is_shortened_is_never_longer(text: str, most: int) -> None:
    assert units(shortened(text, most)) <= most


def test_sentences_and_lists() -> None:
    assert sentence("hello") == "Hello."
    assert sentence("`x` is wrong") == "`x` is wrong."
    assert [all_of("abc"[:number]) for number in range(4)] == ["", "`a`", "`a` and `b`", "`a`, `b` and `c`"]
    assert all_of(map(str, range(20)), 2) == "`0`, `1` and 18 more"
    assert plain("https://x.y [a](b) @everyone") == "https:\\//x.y \\[a\\](b) @\u200beveryone"


async def test_questions_are_kept_over_a_restart_and_told_anew_when_they_change() -> None:
    kept = Kept()
    asks = Scripted(answered([BOARD]), answered([BOARD]), answered([BOARD, PROFILE]))
    catalogue = Catalogue(Line(asks), kept)
    for _ in range(2):
        await catalogue.look()
    assert [one.question for one in catalogue.questions] == ["board.kudos"]
    await catalogue.look()
    again = Catalogue(Line(Scripted()), kept)
    again.recall()
    assert list(again.questions) == [BOARD, PROFILE] == list(catalogue.questions)


@pytest.mark.parametrize("answer", [answered([{"question": 1}]), answered("x"), TimeoutError()])
async def test_without_a_useful_answer_the_questions_stay_as_they_are(answer: bytes | Exception) -> None:
    catalogue = Catalogue(Line(Scripted(answered([BOARD]), answer)), Kept())
    await catalogue.look()
    await catalogue.look()
    assert list(catalogue.questions) == [BOARD]


def test_questions_of_an_earlier_version_are_let_go() -> None:
    kept = Kept()
    kept.texts["discord questions"] = '[{"name": "old"}]'
    catalogue = Catalogue(Line(Scripted()), kept)
    catalogue.recall()
    assert len(catalogue.questions) == 0


async def test_questions_are_looked_at_again_now_and_then_in_the_background() -> None:
    now = [0.0]
    asks = Scripted(answered([BOARD]), answered([PROFILE]))
    catalogue = Catalogue(Line(asks), Kept(), clock=lambda: now[0])
    for seconds, looks in ((0, 1), (1, 1), (61, 2), (62, 2)):
        now[0] = seconds
        await catalogue.wanted()
        await asyncio.sleep(0.01)
        assert len(asks.asked) == looks
    assert list(catalogue.questions) == [PROFILE]


async def test_names_are_looked_up_for_nobody_in_particular_and_remembered() -> None:
    now = [0.0]
    asks = Scripted(answered([{"username": "amy"}, {"username": "Amanda"}]), TimeoutError(), answered([]))
    names = Names(Line(asks), clock=lambda: now[0])
    assert await names.like("100", "AM") == ["amy", "Amanda"]
    assert await names.like("100", "am ") == ["amy", "Amanda"]
    now[0] = 200.0
    assert await names.like("100", "am") == ["amy", "Amanda"]
    assert await names.like("100", "my") == ["amy"]
    assert await names.like("200", "") == ["me"]
    assert await names.like("", "am") == []
    assert {account for _, _, account in asks.asked} == {"discord:0"}
    assert asks.asked[0][1] == {"prefix": "am", "platform": "discord", "domain": "100", "limit": 25}


def test_somebody_may_ask_a_few_at_once_and_then_one_after_the_other() -> None:
    now = [0.0]
    manners = Manners(lambda: now[0])

    def asked(times: int) -> int:
        done = 0
        for _ in range(times):
            with manners.asking("amy", "100"):
                done += 1
        return done

    assert asked(BURST) == BURST
    with pytest.raises(Busy) as busy:
        asked(1)
    assert busy.value.seconds == REFILL
    now[0] += REFILL
    assert asked(1) == 1
    now[0] += 100 * REFILL
    assert asked(BURST) == BURST


def test_a_server_has_its_share_and_gives_it_back() -> None:
    manners = Manners(lambda: 0.0)
    held = [manners.asking(f"user{number}", "100") for number in range(AT_ONCE)]
    for one in held:
        one.__enter__()
    with pytest.raises(Busy), manners.asking("amy", "100"):
        pass
    with manners.asking("amy", "200"):
        pass
    held[0].__exit__(None, None, None)
    with manners.asking("amy", "100"):
        pass
