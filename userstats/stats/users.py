"""Users: everything about one person on a card, and finding people by name.

Stored: nothing; it reads the tables of the rooms it shows.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from ..asking import Limit, Now, Period, Scope, Username, during
from ..directory import SEEN, Directory, Who
from ..emoted import of_people
from ..observed import ALIVE, alive
from ..statistic import PEOPLE, Metric, Statistic, query
from ..store.seam import Reader
from ..thanked import PLUSPLUS, share

Prefix = Annotated[str, msgspec.Meta(min_length=1, max_length=128)]

_MOST_EMOTES = 10
"""What no name in a database holds, and no database can be asked for."""
_MOST_FOUND = 500
"""Names with a beginning that are looked at, in their order, before the people lately seen come first."""


class Said(msgspec.Struct, frozen=True):
    """How often a phrase of thanks was received."""

    phrase: str
    count: int


class Emote(msgspec.Struct, frozen=True):
    """How often an emote was used."""

    emote: str
    count: int


class Stay(msgspec.Struct, frozen=True):
    """One person in one channel."""

    platform: str
    domain: str
    channel: str
    messages: int
    words: int
    private_messages: int
    total_ms: int
    """Time in the room, what lasts now included."""
    not_afk_ms: int
    blocks: int = 0
    """Ten minutes in which they said something."""


class UserStats(msgspec.Struct, frozen=True):
    """One person's numbers; their accounts that share an alias are taken together."""

    username: str
    first_seen: str | None
    """ISO time, of all time; None: only an alias is known."""
    last_seen: str | None
    messages: int
    blocks: int
    """Ten minutes in which they said something: next to a raw count they tell talk from spam."""
    words: int
    private_messages: int
    total_ms: int
    not_afk_ms: int
    kudos_plusplus: int
    """Received."""
    kudos_phrases: list[Said]
    kudos_given: int
    emotes: list[Emote]
    """The most used ones."""
    channels: list[Stay]


class Profile(msgspec.Struct, frozen=True):
    """Who somebody is."""

    username: str
    names: list[str]
    """Worn, the latest first."""
    aliases: list[str]
    """Names that were said to be theirs."""
    domains: list[str]
    bot: bool
    first_seen: str | None
    last_seen: str | None
    here: list[str]
    """Channels they are in now."""
    messages: int
    """Of all time, in the places that are asked about."""
    rank: int | None
    """Place on the board of these; None: they said nothing, or are a bot."""


class Worn(msgspec.Struct, frozen=True):
    """A name that somebody wears or wore."""

    name: str
    platform: str
    domain: str
    since: str
    """ISO time at which they were last said to wear it."""


class Match(msgspec.Struct, frozen=True):
    """Somebody found by the beginning of a name."""

    name: str
    """The name or alias that begins so."""
    username: str
    """Their latest name."""
    last_seen: str


_STAYS = """
SELECT place, SUM(messages), SUM(words), SUM(private_messages), SUM(present_ms), SUM(present_ms) - SUM(afk_ms),
    SUM(blocks)
FROM {facts} GROUP BY place
"""
_LASTING = """
SELECT s.place, s.span, s.since, w.seen_until FROM open_spans s JOIN places p ON p.place = s.place
JOIN watches w ON w.place = COALESCE(p.observer, p.place)
WHERE s.person IN :people AND s.span IN ('present', 'afk')
"""
_FOUND = """
WITH found AS (SELECT name_key, name FROM names WHERE folded >= :low AND folded < :high ORDER BY folded LIMIT :most),
meant AS (
    SELECT f.name, w.person FROM found f JOIN wearers w ON w.name_key = f.name_key
    UNION SELECT f.name, w.person FROM found f JOIN aliases a ON a.alias = f.name_key AND a.owner > 0
    JOIN wearers w ON w.name_key = a.owner
)
SELECT m.name, m.person, MAX(s.last_at) FROM meant m JOIN sightings s ON s.person = m.person WHERE 1 = 1{where}
GROUP BY m.name, m.person ORDER BY 3 DESC, 1, 2
"""
_TALK = "SELECT person, SUM(messages) AS messages FROM person_totals WHERE place IN :places GROUP BY person"
_BETTER = """
SELECT COUNT(*) FROM {sums}
WHERE messages > :mine AND person NOT IN :grouped AND person NOT IN (SELECT person FROM wearers WHERE bot = 1){shown}
"""
_GROUPED = "SELECT person, messages FROM {sums} WHERE person IN :grouped{shown}"


@query("user.stats", shape="card", period="all")
async def stats(reader: Reader, directory: Directory, scope: Scope, period: Period, username: Username) -> UserStats:
    """Everything about one person on a card.

    Time includes what lasts now, up to the last sign of life of each place's watch.
    """
    who = await directory.find(username, scope)
    first, last = await _seen(reader, scope, who)
    channels = await _stays(reader, scope, period, who)
    received, given = await share(reader, scope, period, who)
    return UserStats(
        username=who.name,
        first_seen=None if first is None else period.iso(first),
        last_seen=None if last is None else period.iso(last),
        messages=sum(one.messages for one in channels),
        blocks=sum(one.blocks for one in channels),
        words=sum(one.words for one in channels),
        private_messages=sum(one.private_messages for one in channels),
        total_ms=sum(one.total_ms for one in channels),
        not_afk_ms=sum(one.not_afk_ms for one in channels),
        kudos_plusplus=received.get(PLUSPLUS, 0),
        kudos_phrases=[Said(token, number) for token, number in received.items() if token != PLUSPLUS],
        kudos_given=sum(given.values()),
        emotes=[Emote(*row) for row in await of_people(reader, scope, period, who.people, _MOST_EMOTES)],
        channels=channels,
    )


@query("user.profile", shape="card", period="all")
async def profile(reader: Reader, directory: Directory, scope: Scope, now: Now, username: Username) -> Profile:
    """Who somebody is: names, aliases, where they are and how much they say."""
    who = await directory.find(username, scope)
    first, last = await _seen(reader, scope, who)
    worn = await _worn(reader, who, scope)
    here = await reader.rows(
        "SELECT DISTINCT p.space, p.channel FROM open_spans s JOIN places p ON p.place = s.place "
        f"JOIN watches w ON w.place = COALESCE(p.observer, p.place) AND {ALIVE} "
        f"WHERE s.span = 'present' AND s.person IN :people{scope.where(column='s.place')} ORDER BY p.space, p.channel",
        {"people": who.people, **scope.parameters, **alive(now.at)},
    )
    ((messages,),) = await reader.rows(
        f"SELECT COALESCE(SUM(messages), 0) FROM person_totals WHERE person IN :people{scope.where()}",
        {"people": who.people, **scope.parameters},
    )
    bot = any(bot for *_, bot in worn)
    return Profile(
        username=who.name,
        names=list(dict.fromkeys(name for name, *_ in worn)),
        aliases=await _aliases(reader, who, {name.casefold() for name, *_ in worn}),
        domains=sorted({space for _, _, space, *_ in worn if space}),
        bot=bot,
        first_seen=None if first is None else now.iso(first),
        last_seen=None if last is None else now.iso(last),
        here=[f"{space}/{channel}" for space, channel in here],
        messages=messages,
        rank=None if bot or not messages else await _rank(reader, directory, scope, messages),
    )


@query("user.names", period="all")
async def names(reader: Reader, directory: Directory, scope: Scope, now: Now, username: Username) -> list[Worn]:
    """Every name somebody was seen by, the latest first."""
    who = await directory.find(username, scope)
    return [
        Worn(name, platform, space, now.iso(at)) for name, platform, space, at, _ in await _worn(reader, who, scope)
    ]


@query("user.search", period="all")
async def search(
    reader: Reader, directory: Directory, scope: Scope, now: Now, prefix: Prefix, limit: Limit = 25
) -> list[Match]:
    """People with a name or alias that begins so, the lately seen first."""
    low = prefix.casefold()
    shown = await directory.shown(scope)
    rows = await reader.rows(
        _FOUND.format(where=scope.where(column="s.place") + shown.rows("m.person", "s.place")),
        {"low": low, "high": low + "\U0010ffff", "most": _MOST_FOUND, **scope.parameters, **shown.parameters},
    )
    mains = await directory.main()
    found: dict[int, tuple[str, int]] = {}
    for name, person, last_at in rows:
        found.setdefault(mains.get(person, person), (name, last_at))
    chosen = list(found.items())[:limit]
    faces = await directory.faces(person for person, _ in chosen)
    return [Match(name, faces.get(person, name), now.iso(last_at)) for person, (name, last_at) in chosen]


async def _seen(reader: Reader, scope: Scope, who: Who) -> tuple[int | None, int | None]:
    ((first, last),) = await reader.rows(
        f"SELECT MIN(first_at), MAX(last_at) FROM sightings WHERE person IN :people{scope.where()}",
        {"people": who.people, **scope.parameters},
    )
    return first, last


async def _stays(reader: Reader, scope: Scope, period: Period, who: Who) -> list[Stay]:
    """What one person did in each channel, most messages first."""
    columns = "place, messages, words, private_messages, present_ms, afk_ms, blocks"
    facts, parameters = during(PEOPLE, period, columns, f" AND person IN :people{scope.where()}")
    parameters |= {"people": who.people, **scope.parameters}
    sums = {place: row for place, *row in await reader.rows(_STAYS.format(facts=facts), parameters)}
    for place, span, since, until in await reader.rows(_LASTING + scope.where(column="s.place"), parameters):
        row = sums.setdefault(place, [0] * 6)
        lasted = period.within(since, until)
        row[3] += lasted if span == "present" else 0
        row[4] += lasted if span == "present" else -lasted
    places = await reader.rows(
        "SELECT place, platform, space, channel FROM places WHERE place IN :some", {"some": tuple(sums)}
    )
    stays = [Stay(*place, *sums[number]) for number, *place in places if any(sums[number])]
    return sorted(stays, key=lambda one: (-one.messages, -one.total_ms, one.platform, one.domain, one.channel))


async def _worn(reader: Reader, who: Who, scope: Scope) -> list[tuple[Any, ...]]:
    """Name, platform, site, time and whether it is a bot's, the latest first; of the sites that are asked about, and
    names that are worn on the whole platform."""
    where = "" if scope.places is None else (
        " AND EXISTS (SELECT 1 FROM places p WHERE p.place IN :places AND p.platform = w.platform"
        " AND w.space IN (p.space, ''))"
    )  # fmt: skip
    return await reader.rows(
        "SELECT n.name, w.platform, w.space, w.at, w.bot FROM wearers w JOIN names n ON n.name_key = w.name_key "
        f"WHERE w.person IN :people{where} ORDER BY w.at DESC, n.name DESC",
        {"people": who.people, **scope.parameters},
    )


async def _aliases(reader: Reader, who: Who, worn: set[str]) -> list[str]:
    """Names of theirs that they were not seen by."""
    rows = await reader.rows("SELECT name FROM names WHERE name_key IN :keys", {"keys": who.keys})
    return sorted((name for (name,) in rows if name.casefold() not in worn), key=str.casefold)


async def _rank(reader: Reader, directory: Directory, scope: Scope, messages: int) -> int:
    """Place on the board of messages of all time, in these places; those with equally many share it."""
    mains = await directory.main()
    parameters = {"mine": messages, "grouped": tuple(mains), **scope.parameters}
    shown = (await directory.shown(Scope())).people()
    sql = "everyone_totals" if scope.places is None else f"({_TALK}) AS sums"
    ((better,),) = await reader.rows(_BETTER.format(shown=shown, sums=sql), parameters)
    sums: dict[int, int] = {}
    rows = await reader.rows(_GROUPED.format(shown=shown, sums=sql), parameters)
    for person, number in rows:
        sums[mains[person]] = sums.get(mains[person], 0) + number
    return int(better) + sum(number > messages for number in sums.values()) + 1


STATISTIC = Statistic(
    name="users",
    questions=(stats, profile, names, search),
    metrics=(Metric("userstats_people", "People who were ever seen, by platform.", SEEN, ("platform",)),),
    reads=("activity", "aliases", "emotes", "kudos", "messages", "people", "private"),
)
