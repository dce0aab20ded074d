"""N5, provably no content, for Discord: what people write there in any way is nowhere once the bridge has heard it.

Marker words reach the bridge through every way in which somebody can write something on Discord. Afterwards everything
that exists is searched: stream, dead letters, database, outbox, logs, metrics, answers, exports.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Final

import aiohttp
import pytest
import pytest_asyncio

from tests.brokers import Brokers, started
from tests.e2e.discord_stage import Stage, settings, stage
from tests.e2e.evening import address
from tests.stand_ins.discord import Actor, Channel, Guild, StandIn, activities
from tests.stored import events, letters, messages
from tests.test_privacy import TOKEN, Left, everything_asked, everything_exported, places
from userstats.contract import wire

WAYS: Final = """
    plain bold spoiler code link quoted atname plusplus emoted longline mention reply edited deleted purged whispered
    threaded threadtitle posttitle posted privatetitle renamedthread filename filetype sticker poll polloption embedded
    customstatus statusemoji details state stream webhookname webhook botsays automod topic kickreason banreason
    voicechat slashperson slashwhere slashargs slashperiod slashquestion suggested modalcode badframe badname badkey
    oddkind badtitle badstate rolename reactionname systemname
"""
"""In which text reaches the bridge. Names of people, guilds, channels and games may be told, and are not among them."""
SAID: Final = tuple(f"xq{way}xq" for way in WAYS.split())
NAMED: Final = ("nq-username", "Nq Display", "nq-nick")
"""Names of a person: in `Named`, in the database and in answers."""
PLACED: Final = ("pq-channel", "pq-guild")
"""Names of places: in `PlaceNamed`, in the database and in answers."""
PLAYED: Final = "gq-game"


def mark(way: str) -> str:
    """The marker for this way."""
    assert f"xq{way}xq" in SAID
    return f"xq{way}xq"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def left(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Left]:
    """What an evening on Discord leaves behind."""
    brokers = Brokers(await started(tmp_path_factory.mktemp("privacy")))
    async with StandIn(settings()) as site:
        guild = site.guild(PLACED[1])
        general = site.channel(guild, PLACED[0], topic=mark("topic"))
        amy, bob = site.user(NAMED[0], global_name=NAMED[1]), site.user("bob")
        site.enrol(guild, amy, bob)
        guild.members[amy.id].nick = NAMED[2]
        sections: dict[str, Any] = {"http": {"port": 0, "token": TOKEN}, "log": {"level": "DEBUG"}}
        async with stage(site, brokers, **sections) as there:
            await amy.join_voice(site.channel(guild, "lounge", "voice"))
            await there.choose([(amy, "presence", "shown"), (amy, "voice", "shown")], amy)
            await talk(site, guild, general, amy, bob)
            await gather(site, guild, amy, bob)
            await ask_about(general, amy)
            await break_things(site, guild, general)
            await site.owner.dm("that is all")
            await there.counted()
            yield await everything(there)
    await brokers.disconnect()
    await brokers.embedded.stop()


async def talk(site: StandIn, guild: Guild, general: Channel, amy: Actor, bob: Actor) -> None:
    """Everything that can be written in a channel."""
    hi = await amy.say(general, f"hello {mark('plain')}")
    for text in (
        f"**{mark('bold')}** ||{mark('spoiler')}|| `{mark('code')}`", f"https://example.org/{mark('link')}?q=1",
        f"> {mark('quoted')} lol", f"@{mark('atname')} {mark('plusplus')}++ ++{mark('plusplus')} :{mark('emoted')}:",
        f"{mark('longline')} " * 60, f"{bob.mention} {mark('mention')} ++{bob.mention}",
    ):  # fmt: skip
        await amy.say(general, text)
    await bob.say(general, mark("reply"), reply_to=hi)
    await amy.edit(hi, mark("edited"))
    await amy.delete(await amy.say(general, mark("deleted")))
    await site.owner.purge(general, [await bob.say(general, mark("purged")) for _ in range(2)])
    await amy.say(general, "", files=[f"{mark('filename')}.png", ("a.txt", 10, f"text/{mark('filetype')}")])
    await amy.say(general, "", stickers=[mark("sticker")])
    answers = [{"poll_media": {"text": mark("polloption")}}, {"poll_media": {"text": "no"}}]
    question = {"text": mark("poll")}
    await amy.say(
        general, "", poll={"question": question, "answers": answers, "duration": 1, "allow_multiselect": False}
    )
    site.unfurl(await amy.say(general, "https://example.org"), mark("embedded"))
    site.webhook(general, mark("webhookname"), mark("webhook"))
    dicebot = site.user("dicebot", bot=True)
    site.enrol(guild, dicebot)
    await dicebot.say(general, mark("botsays"))
    site.automod_alert(general, bob, mark("automod"))
    await amy.dm(mark("whispered"))


async def gather(site: StandIn, guild: Guild, amy: Actor, bob: Actor) -> None:
    """Everything else that people name or write."""
    general, lounge = site.channel(guild, "talk"), next(one for one in guild.channels.values() if one.is_voice)
    forum = site.channel(guild, "ideas", "forum")
    thread = await amy.thread(general, mark("threadtitle"))
    await bob.say(thread, mark("threaded"))
    site.threads.change(thread, name=mark("renamedthread"))
    await amy.archive(thread)
    await amy.thread(forum, mark("posttitle"), text=mark("posted"))
    await amy.thread(general, mark("privatetitle"), private=True)
    await bob.say(lounge, mark("voicechat"))
    await amy.presence(
        "online", activities.playing(PLAYED, details=mark("details"), state=mark("state")),
        activities.custom(mark("customstatus"), mark("statusemoji")),
        activities.streaming("Twitch", f"https://twitch.tv/{mark('stream')}"),
    )  # fmt: skip
    role = site.role(guild, mark("rolename"))
    await site.owner.give_role(guild, bob, role)
    for who, what in ((site.user("cid"), "kickreason"), (site.user("dan"), "banreason")):
        await who.join(guild)
        site.membership.leave(guild, who.user, what="kicked", by=site.developer, reason=mark(what))


async def ask_about(general: Channel, amy: Actor) -> None:
    """What is typed into commands."""
    await amy.autocomplete(general, "stats", "question", mark("suggested"))
    for question, options in (
        ("user.messages", {"person": mark("slashperson")}),
        ("leaderboard.messages", {"where": mark("slashwhere")}),
        ("leaderboard.messages", {"period": mark("slashperiod")}),
        ("user.messages", {"arguments": f"username={mark('slashargs')} {mark('slashargs')}=1"}),
        (mark("slashquestion"), {}),
    ):
        await (await amy.slash(general, "stats", question=question, **options)).message(within=20)
    await (await amy.slash(general, "link confirm", code=mark("modalcode"))).message(within=20)


async def break_things(site: StandIn, guild: Guild, general: Channel) -> None:
    """Dispatches that are none, and one that nobody knows."""
    where = {"guild_id": str(guild.id), "channel_id": str(general.id)}
    for name, payload in (
        ("MESSAGE_CREATE", {**where, "id": mark("badframe"), "content": {"text": mark("badframe")}}),
        ("MESSAGE_CREATE", {**where, "id": "1", "content": mark("badframe") * 9000, "author": {"id": "5"}}),
        ("MESSAGE_UPDATE", {**where, "id": mark("badframe"), "edited_timestamp": mark("badframe")}),
        ("GUILD_MEMBER_ADD", {"guild_id": str(guild.id), "user": {"id": mark("badname"), "username": mark("badname")}}),
        ("THREAD_CREATE", {**where, "name": mark("badtitle"), "id": {}}),
        ("PRESENCE_UPDATE", {"guild_id": str(guild.id), "user": {"id": "7"}, "status": mark("badstate")}),
        ("MESSAGE_REACTION_ADD", {**where, "emoji": {"name": mark("reactionname") * 20}, "user_id": "1"}),
        ("VOICE_STATE_UPDATE", {**where, "user_id": {mark("badkey"): mark("badkey")}}),
        ("GUILD_UPDATE", {"id": mark("systemname"), "name": [mark("systemname")]}),
        (mark("oddkind").upper(), {"text": mark("oddkind")}),
    ):
        site.faults.dispatch(name, payload)


async def everything(there: Stage) -> Left:
    """All there is now."""
    folder, at = there.folder, address(there.userstats)
    answers, exports = await everything_asked(at), await asyncio.to_thread(everything_exported, folder)
    async with aiohttp.ClientSession() as http, http.get(f"{at}/metrics") as response:
        metrics = await response.text()
    stream: dict[str, str] = {}
    for event in await events(there.brokers):
        kind = wire.kind_of(event)
        stream[kind] = stream.get(kind, "") + wire.body(event).decode()
    raw = [message.subject.encode() + message.data for message in await messages(there.brokers)]
    stream["raw"] = b"".join(raw).decode()
    dead = str(await letters(there.brokers))
    files = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    logs = "".join(text.decode() for name, text in files.items() if name.endswith((".log", ".err")))
    rows = await there.data("channel.messages", since="all")
    return Left(files, stream, dead, logs, metrics, answers, exports, {row["channel"]: row["messages"] for row in rows})


def test_everything_that_was_said_was_counted(left: Left) -> None:
    assert sum(left.counted.values()) == 18
    assert {
        "MessageSent", "MessageEdited", "MessageDeleted", "PrivateMessageSent", "ThreadCreated", "ThreadArchived",
        "PresenceChanged", "VoiceSeen", "RolesSeen", "MemberJoined", "EventRefused", "Named", "PlaceNamed",
    } <= left.stream.keys()  # fmt: skip


def test_n5_nothing_that_was_said_is_anywhere(left: Left) -> None:
    found = [
        (marker, where)
        for marker in SAID
        for where, content in {**left.files, **places(left)}.items()
        if marker.encode() in content.lower()
    ]

    assert found == []


def test_names_are_nowhere_but_in_the_events_that_name_the_database_and_answers(left: Left) -> None:
    holding = {kind for kind, content in left.stream.items() for name in NAMED if name in content}

    assert holding == {"Named", "raw"}
    assert [name for name in (*NAMED, *PLACED) if name in left.logs + left.letters] == []
    assert [name for name in NAMED if name in left.metrics] == []
    assert NAMED[2] in left.answers


def test_names_of_places_and_games_are_where_they_belong(left: Left) -> None:
    holding = {kind for kind, content in left.stream.items() for name in PLACED if name in content}
    playing = {kind for kind, content in left.stream.items() if PLAYED in content}

    assert holding == {"PlaceNamed", "raw"}
    assert playing <= {"PresenceChanged", "PresencesSeen", "raw"}
    assert PLAYED not in left.logs + left.metrics + left.letters


def test_no_secret_is_in_a_log(left: Left) -> None:
    seeds = [content.decode().strip() for name, content in left.files.items() if name.endswith((".nk", ".key"))]
    said = left.logs + left.metrics + left.answers + left.exports + left.letters

    assert len(seeds) > 5
    assert [place for place, seed in enumerate(seeds) if seed in said] == []
    assert ("secret-of-the-stand-in" in said, TOKEN in said) == (False, False)
