"""What people want counted of them: said, told to bridges, and obeyed by counts and answers."""

from __future__ import annotations

from typing import Any

from tests.say import ROOM, World, afk, joined, key, left, message, named, person, roster, started
from tests.say_consent import chose
from tests.stats.ask import ask, refusal
from tests.stats.changing import change, refused
from userstats.contract.consents import Choice, Choices, GoesBy
from userstats.contract.privacy import PrivacySettings, SpacePolicy
from userstats.contract.pseudonym import FIRST_PERSON
from userstats.contract.questions import Account
from userstats.recorder import Changed
from userstats.stats.consent import Held, Sum

AMY = Account("cytube", "amy")
PRIVATE = (403, "'amy' keeps their numbers to themselves")


# --- choosing ---


async def test_somebody_chooses_and_takes_it_back(world: World) -> None:
    off = await change(world, "consent.set", "bridge", level="off", platform="cytube", account="Amy")
    chosen = await ask(world, "consent.show", me=AMY)
    again = await change(world, "consent.set", me=AMY, level="off", topic="voice")
    back = await change(world, "consent.set", me=AMY, level="default")

    assert off == Changed(True, "messages, voice, presence: off")
    assert chosen == [Held("messages", "off", "off"), Held("voice", "off", "off"), Held("presence", "off", "off")]
    assert again == Changed(False, "voice: already off")
    assert back == Changed(True, "messages, voice, presence: default")
    assert await ask(world, "consent.show", me=AMY) == [
        Held("messages", None, "shown"), Held("voice", None, "off"), Held("presence", None, "off"),
    ]  # fmt: skip


async def test_g11_people_choose_for_themselves_and_for_nobody_else(world: World) -> None:
    other: dict[str, Any] = {"level": "shown", "platform": "cytube", "account": "bob"}

    assert await refused(world, "consent.set", me=AMY, **other) == (403, "this may be asked of oneself only")
    assert await refused(world, "consent.set", "staff", **other) == (403, "this may be asked of oneself only")
    assert await refused(world, "consent.set", "everyone", **other) == (403, "consent.set is answered to self only")
    assert await refused(world, "consent.set", level="off") == (400, "platform and account required")
    assert await refusal(world, "consent.show", me=AMY, platform="cytube", account="bob") == (
        403, "this may be asked of oneself only",
    )  # fmt: skip
    assert await refusal(world, "consent.list", "staff") == (403, "consent.list is answered to bridge only")


async def test_what_holds_in_a_space_is_its_own_policy(world: World) -> None:
    privacy = PrivacySettings(messages="counted", spaces={"100": SpacePolicy(voice="shown")})
    await change(world, "consent.set", me=AMY, level="anonymous", topic="presence")

    told = await ask(world, "consent.show", me=AMY, privacy=privacy, space="100")

    assert told == [
        Held("messages", None, "counted"), Held("voice", None, "shown"), Held("presence", "anonymous", "anonymous"),
    ]  # fmt: skip


async def test_how_many_chose_what_is_told_without_saying_who(world: World) -> None:
    await world.tell(chose("amy", "off"), chose("bob", "off"), chose("cid", "shown", "voice"), chose("bob", None))

    told = await ask(world, "consent.summary", "everyone")

    assert [one for one in told if one.people] == [Sum("messages", "off", 1), Sum("voice", "shown", 1)]
    assert len(told) == 12


# --- what bridges are told ---


async def test_bridges_are_told_every_choice_page_by_page_and_then_what_changed(world: World) -> None:
    await world.tell(named("Amy"), named("Bob"), *(chose(f"p{n}", "off", "voice") for n in range(25)))
    await change(world, "consent.set", "bridge", level="off", topic="messages", platform="cytube", account="amy")
    pages = [await ask(world, "consent.list", "bridge", limit=10)]
    while pages[-1].revision < pages[-1].latest:
        pages.append(await ask(world, "consent.list", "bridge", limit=10, after=pages[-1].revision))
    await world.tell(chose("p3", None, "voice"))

    told = [(one.person, one.topic, one.level) for page in pages for one in page.choices]
    everybody = [(person(f"p{n}"), "voice", "off") for n in range(25)]
    assert told == [*everybody, (person("amy"), "messages", "off")]
    assert pages[-1].choices[-1].names == (GoesBy(key("amy"), "cytube", "cytu.be"),)
    assert await ask(world, "consent.list", "bridge", after=26) == Choices(27, 27, (Choice(person("p3"), "voice"),))
    assert (await ask(world, "settings.for_bridge", "staff")).consents == 27


async def test_a_page_of_choices_fits_an_answer(world: World) -> None:
    many = [GoesBy(number, "cytube", "x" * 96) for number in range(FIRST_PERSON, FIRST_PERSON + 60)]
    await world.tell(*(chose(f"p{n}", "off", names=many) for n in range(3)))
    for n in range(3):
        await world.tell(*(named(f"{'n' * 40}{m}", account=f"p{n}") for m in range(40)))

    found: list[Choice] = []
    after = 0
    while len(found) < 3:
        page = await ask(world, "consent.list", "bridge", after=after)
        assert page.choices
        found += page.choices
        after = page.revision

    assert [one.person for one in found] == [person(f"p{n}") for n in range(3)]


async def test_an_alias_is_a_name_of_whose_it_is(world: World) -> None:
    await world.tell(named("amy"))
    await change(world, "alias.add", username="amy", alias="Ames")

    await change(world, "consent.set", me=AMY, level="off", topic="messages")

    kept = await world.rows("SELECT name_key, platform, space FROM consent_names")
    assert sorted(kept) == sorted([(key("amy"), "cytube", "cytu.be"), (key("ames"), "", "")])


async def test_a_name_that_somebody_else_has_taken_since_is_not_theirs_any_more(world: World) -> None:
    await world.tell(named("Nick", account="amy"), "+5m", named("Nick", account="bob"))

    await change(world, "consent.set", me=AMY, level="off", topic="messages")

    assert await world.rows("SELECT name_key FROM consent_names") == []


async def test_names_of_people_who_opted_out_are_not_told_to_bridges(world: World) -> None:
    await world.tell(named("amy"), named("bob"), message("amy"), message("bob"), chose("amy", "off"))

    told = await ask(world, "settings.for_bridge", "staff", places=["cytube/cytu.be/lounge"])

    assert told.names == {"cytube/cytu.be/lounge": ["bob"]}


# --- counting, in the order of the stream ---


async def test_g10_what_comes_after_an_opt_out_is_not_counted_whatever_was_spooled(world: World) -> None:
    await world.tell("20:00", named("amy"), named("bob"), message("amy", words=2), message("bob"))
    before = await world.dump()
    await world.tell(
        chose("amy", "off", names=["amy"]), message("amy", words=5), named("Amy!", account="amy"),
        message("bob", thanks=["amy", "bobby"], mentions=["amy"], reply_to="amy"), chose("amy", "shown"),
        message("amy", words=7),
    )  # fmt: skip

    assert await world.rows("SELECT person, messages, words FROM person_totals ORDER BY messages, words") == sorted(
        [(person("amy"), 2, 9), (person("bob"), 2, 2)], key=lambda row: row[1:]
    )
    assert (await world.dump())["names"] == before["names"]
    assert await world.rows("SELECT who FROM kudos_totals") == [(key("bobby"),)]
    assert await world.rows("SELECT kind, events, refused_consent FROM event_tallies WHERE refused_consent > 0") == [
        ("MessageSent", 5, 1), ("Named", 3, 1),
    ]  # fmt: skip
    assert await world.rows("SELECT * FROM consent_names") == []


async def test_g10_who_is_anonymous_counts_in_sums_and_is_nobody(world: World) -> None:
    await world.tell(chose("amy", "anonymous"), "20:00", named("amy"), message("amy"), message("amy"))
    await world.tell(started(), message("amy"), "20:05")

    people = await world.rows("SELECT person, messages FROM person_totals")

    assert sorted(messages for _, messages in people) == [1, 2]
    assert [number for number, _ in people if number >= FIRST_PERSON] == []
    assert await world.rows("SELECT messages FROM place_totals") == [(3,)]
    assert await ask(world, "leaderboard.messages") == []
    assert (await ask(world, "channel.list"))[0].people == 0
    assert (await ask(world, "channel.messages_by_hour"))[-1].messages == 3
    assert person("amy") not in {value for rows in (await world.dump()).values() for row in rows for value in row} - {
        row[0] for row in (await world.dump())["consents"]
    }


async def test_time_that_lasts_ends_uncounted_with_an_opt_out(world: World) -> None:
    await world.tell("20:00", started(), roster("amy", "bob", away=["amy"]), "20:50", chose("amy", "off"), "22:10")
    await world.tell(left("amy"), left("bob"), joined("amy"), afk("amy"))

    assert await world.rows("SELECT person, present_ms FROM person_totals WHERE present_ms > 0") == [
        (person("bob"), 130 * 60_000)
    ]
    assert await world.rows("SELECT * FROM open_spans") == []


async def test_an_opt_out_about_voice_leaves_messages_alone(world: World) -> None:
    await world.tell("20:00", started(), roster("amy"), chose("amy", "off", "voice"), message("amy"), "20:10")

    assert await world.rows("SELECT messages FROM person_totals") == [(1,)]
    assert len(await world.rows("SELECT * FROM open_spans WHERE span = 'present'")) == 1


async def test_only_userstats_itself_can_say_what_somebody_chose(world: World) -> None:
    forged = chose("amy", "off")

    await world.tell(message("amy", at=world.now), *[_at_room(forged)], message("amy"))

    assert await world.rows("SELECT messages FROM place_totals") == [(2,)]
    assert await world.rows("SELECT * FROM consents") == []


def _at_room(event: Any) -> Any:
    return type(event)(**{**{name: getattr(event, name) for name in event.__struct_fields__}, "place": ROOM})


async def test_choices_survive_a_restart_and_a_batch_that_failed(world: World) -> None:
    evening = (
        "20:00", chose("amy", "off", names=["amy"]), chose("bob", "anonymous"), message("amy"), message("bob"),
        message("cid", thanks=["amy"]), chose("bob", "counted"), message("bob"), "20:10",
    )  # fmt: skip
    for one in evening:
        await world.tell(one)
        await world.restart()

    assert sorted(await world.rows("SELECT messages FROM person_totals")) == [(1,), (1,), (1,)]
    assert await world.rows("SELECT who FROM kudos_totals") == []
    assert world.service.consenting.revision == 3
