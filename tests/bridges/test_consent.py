"""Who opted out is in nothing that leaves a bridge, whatever kind of event it is; who is anonymous is nobody in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import inspect
from msgspec.structs import replace

from tests.bridges.observed import NOW, OTHER, ROOM, WATCH, joined, message
from userstats.contract import events as e
from userstats.contract.admission import Consents
from userstats.contract.consents import TOPICS, Choice, GoesBy, Level, Topic
from userstats.contract.events import INT63, KINDS, Event, Place
from userstats.contract.privacy import PrivacySettings, SpacePolicy
from userstats.contract.pseudonym import FIRST_PERSON, Pseudonyms

GONE = FIRST_PERSON + 4_242_424_242
OPEN = PrivacySettings(voice="shown", presence="shown")
PSEUDONYMS = Pseudonyms(b"the key of these tests, all of it")
every_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())


def consents(*choices: Choice, policy: PrivacySettings = OPEN) -> Consents:
    return Consents(policy, PSEUDONYMS.anonymous, choices)


def chose(person: int, level: Level | None, *names: GoesBy, topics: Sequence[Topic] = TOPICS) -> list[Choice]:
    return [Choice(person, topic, level, names if topic == "messages" else ()) for topic in topics]


def filled(type_: inspect.Type) -> Any:
    """A value of this type in which every person and every name's key is GONE."""
    match type_:
        case inspect.IntType(ge=1, le=limit) if limit == INT63:
            return GONE
        case inspect.IntType(ge=lowest):
            return lowest or 0
        case inspect.StrType() | inspect.AnyType():
            return "x"
        case inspect.BoolType():
            return False
        case inspect.LiteralType(values=values):
            return values[0]
        case inspect.VarTupleType(item_type=item):
            return [filled(item)]
        case inspect.UnionType(types=types):
            return filled(next(one for one in types if not isinstance(one, inspect.NoneType)))
        case inspect.StructType(fields=fields):
            return {field.encode_name: filled(field.type) for field in fields}
    raise AssertionError(type_)


def sample(kind: type[Event]) -> Event:
    """An event of this kind that names GONE wherever it can name anybody."""
    fields = filled(inspect.type_info(kind))
    given = {"id": 1, "at": NOW, "seen": NOW, "n": 0, "kind": kind.__name__}
    return msgspec.convert({**fields, **({"by": "person"} if "by" in fields else {}), **given}, kind)


def numbers(value: object) -> Iterator[int]:
    if isinstance(value, int):
        yield value
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ():
        yield from numbers(item)


@every_kind
@pytest.mark.parametrize("level", ["off", "anonymous"])
def test_g10_no_kind_of_event_lets_somebody_through_who_opted_out(kind: type[Event], level: Level) -> None:
    gate = consents(*chose(GONE, level, GoesBy(GONE, "x", "x")))

    assert GONE not in set(numbers(msgspec.to_builtins(gate.admitted(sample(kind)))))


@every_kind
def test_g10_a_policy_leaves_out_everybody_who_chose_nothing(kind: type[Event]) -> None:
    gate = consents(policy=PrivacySettings(messages="off", voice="off", presence="off"))

    assert GONE not in set(numbers(msgspec.to_builtins(gate.admitted(sample(kind)))))


@every_kind
@pytest.mark.parametrize("level", ["counted", "shown"])
def test_who_chose_to_be_counted_stays_in_every_kind_of_event(kind: type[Event], level: Level) -> None:
    event = sample(kind)
    closed = PrivacySettings(messages="off", voice="anonymous", presence="off")

    assert consents(*chose(GONE, level, GoesBy(GONE, "x", "x")), policy=closed).admitted(event) is event


@every_kind
def test_who_did_not_opt_out_stays_in_every_kind_of_event(kind: type[Event]) -> None:
    event = sample(kind)

    assert consents(*chose(GONE + 1, "off", GoesBy(GONE + 1))).admitted(event) == event
    assert consents().admitted(event) is event


@every_kind
def test_whoever_is_anonymous_is_a_number_of_the_watch_and_nothing_else(kind: type[Event]) -> None:
    gate = consents(*chose(GONE, "anonymous", GoesBy(GONE, "x", "x")))
    nobody = PSEUDONYMS.anonymous(GONE, "x")

    kept = gate.admitted(sample(kind))

    said = set(numbers(msgspec.to_builtins(sample(kind))))
    assert set(numbers(msgspec.to_builtins(kept))) <= said - {GONE} | {nobody}
    assert 0 < nobody < FIRST_PERSON


def test_a_message_loses_only_the_traces_of_those_who_opted_out() -> None:
    gate = consents(Choice(4, "messages", "off", (GoesBy(44, "demo", "stage"),)))
    said = message(
        1, mentions=(3, 4, 5), reply_to=4, thanks=(e.Thanks(44, "++"), e.Thanks(6, "lol")), words=9, emotes=("hi",)
    )

    assert gate.admitted(said) == message(1, mentions=(3, 5), thanks=(e.Thanks(6, "lol"),), words=9, emotes=("hi",))


def test_a_message_from_somebody_who_opted_out_is_no_event_at_all() -> None:
    assert consents(Choice(4, "messages", "off")).admitted(message(1, author=4, mentions=(3,))) is None


def test_a_message_from_somebody_anonymous_counts_as_nobodys() -> None:
    gate = consents(Choice(4, "messages", "anonymous"))

    kept = gate.admitted(message(1, author=4, mentions=(3, 4), words=7))

    assert kept == message(1, author=PSEUDONYMS.anonymous(4, WATCH), mentions=(3,), words=7)


def test_somebody_anonymous_is_another_nobody_in_the_next_watch() -> None:
    gate = consents(Choice(4, "messages", "anonymous"))
    watches = [replace(joined(1, 4), watch=watch) for watch in ("a", "a", "b")]

    one, same, other = (gate.admitted(event) for event in watches)

    assert one == same
    assert isinstance(one, e.Joined)
    assert isinstance(other, e.Joined)
    assert one.person != other.person


def test_a_name_is_kept_from_thanks_only_where_it_means_who_opted_out() -> None:
    nick = GoesBy(44, "demo", "stage")
    gate = consents(Choice(4, "messages", "off", (nick, GoesBy(45, "demo"), GoesBy(46))))
    thanks = tuple(e.Thanks(key, "++") for key in (44, 45, 46, 47))
    places = [ROOM, Place("demo", "hall", "x"), Place("cytube", "stage", "x")]

    kept = [gate.admitted(message(1, place, thanks=thanks)) for place in places]

    said = [[one.who for one in event.thanks] for event in kept if isinstance(event, e.MessageSent)]
    assert said == [[47], [44, 47], [44, 45, 47]]


def test_a_name_may_be_thanked_again_once_its_person_opts_in() -> None:
    gate = consents(Choice(4, "messages", "off", (GoesBy(44),)), Choice(4, "messages", "shown"))
    said = message(1, author=4, thanks=(e.Thanks(44, "++"),))

    assert gate.admitted(said) is said


def test_a_roster_lists_the_others_and_stays_a_complete_part() -> None:
    roster = e.RosterSeen(
        id=1, at=NOW, seen=NOW, place=ROOM, watch=WATCH, snapshot="s", part=2, parts=3,
        people=(e.Present(3), e.Present(4, True), e.Present(5, True), e.Present(6, True)),
    )  # fmt: skip
    gate = consents(Choice(4, "messages", "off"), Choice(6, "messages", "anonymous"))

    nobody = e.Present(PSEUDONYMS.anonymous(6, WATCH), True)
    assert gate.admitted(roster) == replace(roster, people=(e.Present(3), e.Present(5, True), nobody))


def moved(person: int, space: str = "100", *, bot: bool = False) -> e.VoiceMoved:
    return e.VoiceMoved(
        id=1, at=NOW, seen=NOW, place=Place("discord", space, ""), watch=WATCH, person=person, before="7", bot=bot,
        now=e.Voice(person, "8", streaming=True, bot=bot),
    )  # fmt: skip


def test_g10_voice_and_presence_are_off_until_somebody_opts_in() -> None:
    gate = consents(Choice(4, "voice", "shown"), policy=PrivacySettings())
    presence = e.PresenceChanged(
        id=1, at=NOW, seen=NOW, place=Place("discord", "", ""), watch=WATCH, presence=e.Presence(4, "online")
    )

    kept = [gate.admitted(event) for event in (moved(3), moved(4), presence, joined(1, 3))]

    assert kept == [None, moved(4), None, joined(1, 3)]


def test_a_policy_of_one_space_holds_there_and_nowhere_else() -> None:
    policy = PrivacySettings(spaces={"100": SpacePolicy(voice="anonymous"), "stage": SpacePolicy(messages="off")})
    gate = consents(policy=policy)

    kept = [gate.admitted(event) for event in (moved(3), moved(3, "200"), message(1), message(2, OTHER))]

    nobody = PSEUDONYMS.anonymous(3, WATCH)
    there = replace(moved(3), person=nobody, now=e.Voice(nobody, "8", streaming=True))
    assert kept == [there, None, None, None]
    assert gate.admitted(message(1, Place("demo", "hall", "x"))) == message(1, Place("demo", "hall", "x"))


def test_bots_need_no_consent_unless_somebody_chose_for_them() -> None:
    gate = consents(Choice(5, "voice", "off"), policy=PrivacySettings(messages="off"))
    webhook = message(1, by="webhook")

    kept = [gate.admitted(event) for event in (moved(4, bot=True), moved(5, bot=True), webhook, message(1))]

    assert kept == [moved(4, bot=True), None, webhook, None]


def test_a_choice_that_is_taken_back_leaves_the_policy() -> None:
    gate = consents(*chose(4, "off"), *chose(4, None))

    assert gate.admitted(message(1, author=4)) == message(1, author=4)
    assert [gate.level(4, topic) for topic in TOPICS] == ["shown", "shown", "shown"]


PEOPLE = st.integers(1, 6)
LEVELS = st.sampled_from(["off", "anonymous", "counted", "shown"])


@given(
    author=PEOPLE,
    mentions=st.lists(PEOPLE, max_size=6),
    thanks=st.lists(PEOPLE, max_size=6),
    reply_to=st.none() | PEOPLE,
    chosen=st.dictionaries(PEOPLE, LEVELS),
)
def test_what_is_left_of_a_message_is_in_order_and_about_nobody_who_opted_out(
    author: int, mentions: list[int], thanks: list[int], reply_to: int | None, chosen: dict[int, Level]
) -> None:
    said = message(
        7, author=author, mentions=tuple(mentions), thanks=tuple(e.Thanks(100 + who, "++") for who in thanks),
        reply_to=reply_to,
    )  # fmt: skip
    gate = consents(*(Choice(one, "messages", level, (GoesBy(100 + one),)) for one, level in chosen.items()))
    closed = {person for person, level in chosen.items() if level in ("off", "anonymous")}

    expected = message(
        7,
        author=PSEUDONYMS.anonymous(author, WATCH) if chosen.get(author) == "anonymous" else author,
        mentions=tuple(who for who in mentions if who not in closed),
        thanks=tuple(e.Thanks(100 + who, "++") for who in thanks if who not in closed),
        reply_to=None if reply_to in closed else reply_to,
    )
    assert gate.admitted(said) == (None if chosen.get(author) == "off" else expected)
