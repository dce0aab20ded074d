"""The oracle of time: who was how long in which voice channel, and in which status. Milliseconds.

What really lasted, with changes at the time they were heard, as far as it was observed (`told.py`) and the person had
chosen to be told about. Whoever takes the choice back takes back with it what lasts just then, as far as it is not
credited yet, which it is at each full hour (the evening has nobody do so who was there since before one).
"""

from __future__ import annotations

import dataclasses
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from tests.stand_ins.discord import Deed

from .told import Stretch, Told
from .town import Town

SHORTEST: Final = 1_000
"""A shorter stay is none; its time counts."""
KINDS: Final = ("raw_ms", "active_ms", "social_ms", "muted_ms", "deafened_ms", "streaming_ms", "video_ms")
DOING: Final = ("playing", "streaming", "listening", "watching", "custom", "competing")
KEPT: Final = ("anonymous", "counted", "shown")

Where = tuple[int, int]


class State(NamedTuple):
    """Somebody in a voice channel."""

    where: Where
    muted: bool
    deafened: bool
    streaming: bool
    video: bool


class Stay(NamedTuple):
    """A time in one voice channel without a break."""

    where: Where
    since: int
    until: int
    ended: str
    """How, as answers say it; empty: it lasts."""


@dataclasses.dataclass
class Voiced:
    """One person in voice."""

    times: Counter[tuple[Where, str]] = dataclasses.field(default_factory=Counter)
    stays: list[Stay] = dataclasses.field(default_factory=list)


class Change(NamedTuple):
    """From `at` on, a person is in this state of voice (None: in none)."""

    at: int
    who: int
    state: State | None
    heard: bool


class Shown(NamedTuple):
    """What somebody is seen to be."""

    status: str
    devices: tuple[str, ...] = ()
    doing: tuple[tuple[int, str], ...] = ()
    """Activities: type and name."""


_AWAY: Final = Shown("offline")


class Times:
    """Voice and presence of the whole evening."""

    def __init__(self, town: Town, told: Told) -> None:
        self._town = town
        self._told = told
        self._end = told.line.asked
        self.afk = {home.afk.id for home in town}
        self.guilds = {home.guild.id: told.stretches(home.guild.id) for home in town}
        self.voice: dict[int, Voiced] = defaultdict(Voiced)
        """By person, anonymous ones too."""
        self.peaks: Counter[Where] = Counter()
        """The most humans at once."""
        self.presence: dict[int, Counter[str]] = defaultdict(Counter)
        """By person and what: `online_ms`, `desktop_ms`, ..."""
        self.activities: dict[int, Counter[tuple[str, str]]] = defaultdict(Counter)
        """By person, type and name."""
        for guild, stretches in self.guilds.items():
            self._guild(guild, stretches)
        self._presences(told.stretches(None))

    def level(self, who: int, topic: str) -> list[tuple[int, str]]:
        """What a person chose about a topic, and when."""
        chosen = [one for one in self._told.record.of("consent", who=who) if one["topic"] == topic]
        return [(one.at, one["level"]) for one in chosen]

    def _told_of(self, who: int, topic: str) -> list[Stretch]:
        """When a person may be told of."""
        found, since = [], None
        for at, level in [*self.level(who, topic), (self._end, "")]:
            if level in KEPT:
                since = at if since is None else since
            elif since is not None:
                found.append(Stretch(since, at if not level else self._kept_until(who, topic, at)))
                since = None
        return found

    def _kept_until(self, who: int, topic: str, at: int) -> int:
        """Until when something is kept of who took back their choice at this moment: until what lasts now began."""
        began = None
        for deed in self._told.record.of(topic, who=who):
            if deed.at > at:
                break
            now = deed["to"] if topic == "voice" else deed["status"] != "offline" or None
            began = (
                None
                if now is None
                else deed.at
                if began is None or (topic == "voice" and deed["from"] != now)
                else began
            )
        return at if began is None else began

    # -- voice --------------------------------------------------------------------------------------------------

    def _changes(self, guild: int) -> Iterator[Change]:
        """Of all humans in the guild's voice, at the time each was heard (or would have been)."""
        for at, deed, heard in self._told.all():
            if deed.what == "voice" and deed.guild == guild and not deed["bot"]:
                yield Change(at, deed.who or 0, _state(guild, deed), heard)

    def _guild(self, guild: int, stretches: list[Stretch]) -> None:
        changes = list(self._changes(guild))
        here: dict[int, State] = {}
        allowed: dict[int, list[Stretch]] = {}
        for number, change in enumerate(changes):
            here.pop(change.who, None)
            if change.state is not None:
                here[change.who] = change.state
            until = changes[number + 1].at if number + 1 < len(changes) else self._end
            self._peak(here, change, until, stretches)
            company = Counter(state.where for state in here.values() if not state.deafened)
            for who, state in here.items():
                seen = allowed.setdefault(who, self._told_of(who, "voice"))
                lasted = sum(part.until - part.since for part in _within(change.at, until, stretches, seen))
                self._credit(self.voice[who].times, state, company[state.where], lasted)
        for who, seen in allowed.items():
            self.voice[who].stays += self._stays(guild, who, changes, stretches, seen)

    def _peak(self, here: Mapping[int, State], change: Change, until: int, stretches: list[Stretch]) -> None:
        heard = change.heard and any(one.since <= change.at <= one.until for one in stretches)
        if heard or any(change.at <= one.since < until for one in stretches):
            for where, people in Counter(state.where for state in here.values()).items():
                self.peaks[where] = max(self.peaks[where], people)

    def _credit(self, times: Counter[tuple[Where, str]], state: State, company: int, lasted: int) -> None:
        active = not state.deafened and state.where[1] not in self.afk
        for kind, holds in zip(
            KINDS,
            (True, active, active and company >= 2, state.muted, state.deafened, state.streaming, state.video),
            strict=True,
        ):
            times[state.where, kind] += lasted * holds

    def _stays(
        self, guild: int, who: int, changes: Iterable[Change], stretches: list[Stretch], seen: list[Stretch]
    ) -> Iterator[Stay]:
        """In each channel from coming to leaving, cut where nobody looked."""
        since, where = 0, None
        own = [one for one in changes if one.who == who]
        for change in [*own, Change(self._end, who, None, heard=True)]:
            next_ = None if change.state is None else change.state.where
            if where is not None and next_ != where:
                parts = list(_within(since, change.at, stretches, seen))
                for part in parts:
                    if part.until - part.since >= SHORTEST:
                        yield Stay(where, part.since, part.until, self._ended(part, change, own))
            if next_ != where:
                since, where = change.at, next_

    def _ended(self, part: Stretch, change: Change, own: list[Change]) -> str:
        if part.until == self._end and (not own or change is not own[-1]) and change.at == self._end:
            return ""
        if part.until < change.at or not change.heard:
            return "unobserved"
        return "left" if change.state is None else "moved"

    # -- presence -----------------------------------------------------------------------------------------------

    def _presences(self, stretches: list[Stretch]) -> None:
        for actor in self._town.people:
            seen = self._told_of(actor.id, "presence")
            for since, until, shown in self._shown(actor.id) if seen else ():
                lasted = sum(part.until - part.since for part in _within(since, until, stretches, seen))
                for what in (shown.status, *shown.devices):
                    self.presence[actor.id][f"{what}_ms"] += lasted
                self.presence[actor.id]["custom_status_ms"] += lasted * any(kind == 4 for kind, _ in shown.doing)
                for kind, name in {one for one in shown.doing if one[0] != 4}:
                    self.activities[actor.id][DOING[kind], name] += lasted

    def _shown(self, who: int) -> Iterator[tuple[int, int, Shown]]:
        """What was told of somebody: nothing, where they share no guild with the bot that could tell."""
        guilds = {guild for guild, members in self._told.line.members.items() if who in members}
        away: set[int] = set()
        shown, told, since = _AWAY, _AWAY, 0
        for at, deed, _ in self._told.all():
            guild = deed.guild or 0
            if deed.what == "presence" and deed.who == who:
                shown = _seen(deed)
            elif deed.what == "joined" and deed.who == who:
                guilds.add(guild)
            elif deed.what in ("left", "kicked", "banned") and deed.who == who:
                guilds.discard(guild)
            elif deed.what in ("outage", "bot_left"):
                away.add(guild)
            elif deed.what in ("outage_over", "bot_joined"):
                away.discard(guild)
            now = shown if guilds - away else _AWAY
            if now != told:
                yield since, at, told
                told, since = now, at
        yield since, self._end, told


def _seen(deed: Deed) -> Shown:
    if deed["status"] == "offline":
        return _AWAY
    return Shown(deed["status"], tuple(deed["clients"]), tuple((kind, name) for kind, name in deed["activities"]))


def _state(guild: int, deed: Deed) -> State | None:
    if deed["to"] is None:
        return None
    return State(
        (guild, deed["to"]), deed["mute"] or deed["self_mute"] or deed["suppress"], deed["deaf"] or deed["self_deaf"],
        deed["stream"], deed["video"],
    )  # fmt: skip


def _within(since: int, until: int, *lists: Iterable[Stretch]) -> Iterator[Stretch]:
    """The parts of a time that lie in a stretch of each list."""
    parts = [Stretch(since, until)]
    for stretches in lists:
        parts = [
            Stretch(max(part.since, one.since), min(part.until, one.until))
            for part in parts
            for one in stretches
            if max(part.since, one.since) < min(part.until, one.until)
        ]
    return iter(sorted(parts))
