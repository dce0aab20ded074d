"""What userstats says of an evening on Discord beside what the oracle makes of it: (found, expected), part by part."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any, Final

from tests.e2e.discord_answers import BOARDS, Spent, numbers
from tests.stand_ins.discord_evening.oracle import iso
from tests.stand_ins.discord_evening.times import KINDS

Pair = tuple[Any, Any]
DEVICES: Final = ("online", "idle", "dnd", "desktop", "mobile", "web", "custom_status")


def _rows(spent: Spent, question: str, *columns: str) -> dict[tuple[int, str, str], tuple[Any, ...]]:
    """Of everybody, by person, guild and channel."""
    return {
        (who, row["domain"], row["channel"]): tuple(row[column] for column in columns)
        for who, data in spent.own[question].items()
        for row in data
    }


def at(guild: int, channel: int) -> tuple[str, str]:
    """As answers spell it; no channel where nobody told which one it was."""
    return str(guild), str(channel) if channel else ""


def _counts(spent: Spent, *what: str) -> dict[tuple[int, str, str], tuple[int, ...]]:
    """The oracle's, likewise."""
    return {
        (one.id, *at(guild, channel)): row
        for one in spent.oracle.known
        for (guild, channel), row in spent.oracle.counted.of(one.id, *what).items()
    }


def _known_voice(spent: Spent) -> list[int]:
    """Of whom it may be said who they are."""
    return [one.id for one in spent.oracle.known if spent.oracle.level(one.id, "voice") != "anonymous"]


def messages(spent: Spent) -> Pair:
    """Of everybody, by channel; where they only edited what nobody had seen is not told."""
    what = ("messages", "words", "characters", "edited", "deleted")
    return _rows(spent, "user.messages", *what), {which: row for which, row in _counts(spent, *what).items() if row[0]}


def kinds(spent: Spent) -> Pair:
    """What the messages of each channel were."""
    what = ("messages", "edited", "deleted", "deleted_unknown", "links", "with_files", "with_embeds", "with_stickers",
            "replies", "thread_messages", "bot_messages")  # fmt: skip
    found = {(row["domain"], row["channel"]): tuple(row[one] for one in what) for row in spent.all["channel.messages"]}
    return found, {at(guild, channel): row for (guild, channel), row in spent.oracle.counted.at(*what).items()}


def private(spent: Spent) -> Pair:
    """Messages to the bot."""
    found = {who: data["private_messages"] for who, data in spent.own["user.private_messages"].items()}
    return found, {one.id: spent.oracle.counted.private[one.id] for one in spent.oracle.known}


def reactions(spent: Spent) -> Pair:
    """Of everybody, by channel; and by emote."""
    columns = ("given", "taken_back", "received", "lost")
    emotes = {
        (row["emote"], one): row[one] for row in spent.all["channel.reactions"] for one in columns[:2] if row[one]
    }
    expected = _counts(spent, *(f"reactions_{one}" for one in columns)), dict(spent.oracle.counted.emotes)
    return (_rows(spent, "user.reactions", *columns), emotes), expected


def threads(spent: Spent) -> Pair:
    """Of channels, and of everybody."""
    counted = spent.oracle.counted
    found = {
        (row["domain"], row["channel"]): (row["created"], row["joined"], row["archived"], row["messages"], row["open"])
        for row in spent.all["channel.threads"]
    }
    what = ("threads_created", "threads_joined", "thread_messages")
    channels = {
        at(*where): (*row, counted.open_threads[where])
        for where, row in counted.at(*what[:2], "threads_archived", what[2]).items()
    }
    return (found, _rows(spent, "user.threads", "created", "joined", "messages")), (channels, _counts(spent, *what))


def voice(spent: Spent) -> Pair:
    """How long everybody was in each voice channel, in which state, how often, and the longest stay."""
    expected: dict[tuple[int, str, str], tuple[int, ...]] = {}
    for who in _known_voice(spent):
        voiced = spent.oracle.times.voice[who]
        for where in {where for where, _ in voiced.times}:
            lasted = [stay.until - stay.since for stay in voiced.stays if stay.where == where]
            row = (*(voiced.times[where, kind] for kind in KINDS), len(lasted), max(lasted, default=0))
            expected |= {(who, *at(*where)): row} if row[0] else {}
    return _rows(spent, "voice.user", *KINDS, "sessions", "longest_ms"), expected


def stays(spent: Spent) -> Pair:
    """Each stay in a voice channel, and how it ended."""
    found = {
        (who, row["domain"], row["channel"], row["since"], row["until"], row["time_ms"], row["ended"])
        for who, data in spent.own["voice.sessions"].items()
        for row in data
    }
    expected = {
        (who, str(stay.where[0]), str(stay.where[1]), iso(stay.since), iso(stay.until) if stay.ended else None,
         stay.until - stay.since, stay.ended)
        for who in _known_voice(spent) for stay in spent.oracle.times.voice[who].stays
    }  # fmt: skip
    return found, expected


def voice_channels(spent: Spent) -> Pair:
    """Of all together, whoever lets it be counted, with the most at once."""
    times = spent.oracle.times
    expected: dict[tuple[str, str], list[int]] = {}
    for voiced in times.voice.values():
        for where in {where for where, _ in voiced.times}:
            row = expected.setdefault(at(*where), [0, 0, 0, times.peaks[where]])
            row[:3] = [before + voiced.times[where, kind] for before, kind in zip(row, KINDS[:3], strict=False)]
    columns = (*KINDS[:3], "peak")
    found = {(row["domain"], row["channel"]): [row[one] for one in columns] for row in spent.all["voice.channels"]}
    return found, {where: row for where, row in expected.items() if row[0]}


def in_voice(spent: Spent) -> Pair:
    """Who is there in the end, of those who let everybody see it."""
    columns = ("muted", "deafened", "streaming", "video")
    found = {
        (spent.oracle.worn[row["username"].casefold()], row["domain"], row["channel"]): [row[one] for one in columns]
        for row in spent.all["voice.now"]
    }
    expected = {
        (who, *at(home.guild.id, state.channel.id)): [
            state.self_mute or state.suppress or home.guild.members[who].muted,
            state.self_deaf or home.guild.members[who].deafened, state.stream, state.video,
        ]
        for home in spent.oracle.town for who, state in home.guild.voice.items()
        if spent.oracle.is_shown(who, "voice")
    }  # fmt: skip
    return found, expected


def presence(spent: Spent) -> Pair:
    """How long everybody was online, idle and dnd, and on what."""
    tracked = {who: data for who, data in spent.own["presence.user"].items() if "online_ms" in data}
    found = {who: [data[f"{one}_ms"] for one in DEVICES] for who, data in tracked.items()}
    expected = {who: [sums[f"{one}_ms"] for one in DEVICES] for who, sums in spent.oracle.times.presence.items()}
    return tuple({who: row for who, row in one.items() if any(row)} for one in (found, expected))  # type: ignore[return-value]


def activities(spent: Spent) -> Pair:
    """What everybody was seen to do."""
    found = {
        (who, row["type"], row["name"]): row["time_ms"]
        for who, data in spent.own["presence.activities"].items()
        for row in (data if isinstance(data, list) else ())
    }
    expected = {
        (who, *what): lasted
        for who, sums in spent.oracle.times.activities.items()
        for what, lasted in sums.items()
        if lasted
    }
    return found, expected


def statuses(spent: Spent) -> Pair:
    """In the end: of those who let it be told; of nobody else. Who was always offline since then may be unknown."""
    found, expected = {}, {}
    for one in spent.oracle.known:
        data, now = spent.own["presence.now"][one.id], one.user.presence
        doing = sorted(activity["name"] for activity in now.activities if activity["type"] != 4)
        told = spent.oracle.level(one.id, "presence") in ("shown", "counted")
        reachable = any(one.id in home.guild.members for home in spent.oracle.town)
        if told and (now.status == "offline" or not reachable):
            continue
        found[one.id] = [data["status"], sorted(data["devices"]), sorted(each["name"] for each in data["activities"])]
        expected[one.id] = [now.status, sorted(now.clients), doing] if told else ["not tracked", [], []]
    return found, expected


def members(spent: Spent) -> Pair:
    """Who was a member when, and the sums of each guild."""
    known = spent.oracle.members
    found = {
        (who, row["domain"], row["joined"], row["left"], row["why"], row["found"])
        for who, data in spent.own["membership.history"].items()
        for row in data
    }
    expected = {
        (one.id, str(guild), iso(stay.joined), None if stay.left is None else iso(stay.left), stay.why, stay.found)
        for one in spent.oracle.known
        for guild, stay in known.of(one.id)
    }
    sums = {str(home.guild.id): known.sums(home.guild.id)._asdict() for home in spent.oracle.town}
    overview = {
        row["domain"]: {one: row[one] for one in row if one != "domain"} for row in spent.all["membership.overview"]
    }
    return (found, overview), (expected, sums)


def boards(spent: Spent) -> Pair:
    """Leaderboards: those who let everybody see them, and no bots."""
    counted, times = spent.oracle.counted, spent.oracle.times
    sums: dict[str, Counter[int]] = {board: Counter() for board in ("leaderboard.messages", *BOARDS)}
    for (who, _, what), number in counted.people.items():
        sums["leaderboard.messages"][who] += number * (what == "messages")
        sums["reactions given"][who] += number * ((what == "reactions_given") - (what == "reactions_taken_back"))
        sums["reactions received"][who] += number * ((what == "reactions_received") - (what == "reactions_lost"))
    for who, voiced in times.voice.items():
        for (_, kind), lasted in voiced.times.items():
            sums.get(f"voice {kind.removesuffix('_ms')}", Counter[int]())[who] += lasted
    found = {
        board: {
            spent.oracle.worn[row["username"].casefold()]: row.get("time_ms", row.get("count"))
            for row in spent.all[board]
        }
        for board in sums
    }
    return found, {board: _shown(spent, board.split()[0], rows) for board, rows in sums.items()}


def _shown(spent: Spent, topic: str, sums: Mapping[int, int]) -> dict[int, int]:
    known = {one.id for one in spent.oracle.everybody}
    about = "voice" if topic == "voice" else "messages"
    return {who: sums[who] for who in known & sums.keys() if sums[who] > 0 and spent.oracle.is_shown(who, about)}


def coverage(spent: Spent) -> Pair:
    """How much of each guild, and of the connection, was observed, and in how many pieces."""
    expected = {}
    for guild in (None, *(home.guild.id for home in spent.oracle.town)):
        stretches = spent.oracle.told.stretches(guild)
        touching = sum(one.until == two.since for one, two in pairwise(stretches))
        observed = sum(one.until - one.since for one in stretches)
        expected["" if guild is None else str(guild)] = (observed, len(stretches) - 1 - touching)
    return {row["domain"]: (row["observed_ms"], row["gaps"]) for row in spent.all["system.coverage"]}, expected


def guilds(spent: Spent) -> Pair:
    """The numbers of the guilds in the end."""
    return spent.guilds, numbers(spent.oracle)


ALL: Final[tuple[Callable[[Spent], Pair], ...]] = (
    messages, kinds, private, reactions, threads, voice, stays, voice_channels, in_voice, presence, activities,
    statuses, members, boards, coverage, guilds,
)  # fmt: skip


def wrong(spent: Spent, *without: Callable[[Spent], Pair]) -> dict[str, Pair]:
    """The parts that are not as expected."""
    pairs = {part.__name__: part(spent) for part in ALL if part not in without}
    return {name: (found, expected) for name, (found, expected) in pairs.items() if found != expected}
