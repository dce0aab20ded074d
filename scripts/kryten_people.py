"""What the old database knows of people: sums of which nobody knows when they came together."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from bridges.cytube_room.channels import PLATFORM
from userstats.contract.events import OldTable, Place
from userstats.contract.import_rows import BalanceRow, NameRow

from . import kryten_checks as check
from .kryten_checks import EARLIEST, Refused
from .kryten_source import Source

PLUSPLUS: Final = "++"
_LARGEST: Final = 3_000
"""Characters of the emotes or the thanks in one `BalanceRow`, as JSON has them at worst."""
_MOST: Final = 100
"""And how many of them."""


def account(space: str, folded: str) -> str:
    """An account as bridges hash it: two sites do not share theirs."""
    return f"{space}/{folded}"


@dataclass
class Balance:
    """One person at one place."""

    messages: int = 0
    private_messages: int = 0
    present: int = 0
    not_afk: int = 0
    emotes: dict[str, int] = field(default_factory=dict)
    thanks: dict[str, int] = field(default_factory=dict)
    first_seen: int | None = None
    last_seen: int | None = None

    def see(self, first: int | None, last: int | None) -> None:
        """They were seen at these moments."""
        known = [at for at in (self.first_seen, self.last_seen, first, last) if at is not None]
        self.first_seen, self.last_seen = min(known, default=None), max(known, default=None)


class _Spelling(NamedTuple):
    at: int
    name: str


class People:
    """Everybody in a database. `domain`: the site of those of whom no row says it."""

    def __init__(self, source: Source, domain: str) -> None:
        self._source = source
        self._domain = domain
        self._balances: dict[tuple[str, str, str], Balance] = {}
        self._spelled: dict[tuple[str, str], _Spelling] = {}
        self._sites: dict[str, set[str]] = {}
        source.each("message_counts", self._messages)
        source.each("user_activity", self._activity)
        source.each("emote_usage", self._emotes)
        source.each("kudos_plusplus", self._plusplus)
        source.each("kudos_phrases", self._phrases)

    def site_wide(self) -> None:
        """Read what is not about a room, after all that is: rooms say on which site somebody is."""
        self._source.each("users", self._user)
        self._source.each("pm_counts", self._private)

    def balances(self) -> Iterator[tuple[Place, BalanceRow]]:
        """The opening balances, in order."""
        for (space, channel, folded), balance in sorted(self._balances.items()):
            for row in self._rows(account(space, folded), folded, balance):
                yield Place(PLATFORM, space, channel), row

    def names(self) -> Iterator[tuple[Place, NameRow]]:
        """What everybody is called, in order."""
        for (space, folded), (at, name) in sorted(self._spelled.items()):
            yield Place(PLATFORM, space, ""), NameRow(account(space, folded), name, at)

    def meet(self, space: str, name: str) -> None:
        """Somebody of this name is known on this site."""
        self._sites.setdefault(name.casefold(), set()).add(space)
        self._call(space, name, EARLIEST)

    def totals(self) -> dict[str, int]:
        """The sums of everything, to be compared with the old ones."""
        all_of = list(self._balances.values())
        return {
            "people": len(self._spelled),
            "messages": sum(one.messages for one in all_of),
            "private messages": sum(one.private_messages for one in all_of),
            "seconds in rooms": sum(one.present for one in all_of),
            "seconds not AFK": sum(one.not_afk for one in all_of),
            "emotes": sum(sum(one.emotes.values()) for one in all_of),
            "kudos with ++": sum(one.thanks.get(PLUSPLUS, 0) for one in all_of),
            "kudos with phrases": sum(
                times for one in all_of for token, times in one.thanks.items() if token != PLUSPLUS
            ),
        }

    def _messages(self, row: int, username: object, channel: object, domain: object, number: object) -> None:
        amount = check.count(number)
        balance = self._here("message_counts", row, username, channel, domain)
        balance.messages = check.total(balance.messages, amount)

    def _activity(
        self, row: int, username: object, channel: object, domain: object, total: object, not_afk: object
    ) -> None:
        present, active = check.count(total), check.count(not_afk)
        balance = self._here("user_activity", row, username, channel, domain)
        balance.present = check.total(balance.present, present)
        if active > present:
            self._source.say("user_activity", row, "changed", "not_afk_cut")
        balance.not_afk += min(active, present)

    def _emotes(self, row: int, username: object, channel: object, domain: object, emote: object, uses: object) -> None:
        name, amount = check.short(emote, "emote"), check.count(uses)
        _add(self._here("emote_usage", row, username, channel, domain, name).emotes, name, amount)

    def _plusplus(self, row: int, username: object, channel: object, domain: object, number: object) -> None:
        amount = check.count(number)
        _add(self._here("kudos_plusplus", row, username, channel, domain).thanks, PLUSPLUS, amount)

    def _phrases(
        self, row: int, username: object, channel: object, domain: object, phrase: object, number: object
    ) -> None:
        token, amount = check.phrase(phrase), check.count(number)
        _add(self._here("kudos_phrases", row, username, channel, domain, token).thanks, token, amount)

    def _user(self, row: int, username: object, first_seen: object, last_seen: object) -> None:
        name = check.name(username)
        self._source.again("users", row, name.casefold())
        first, last = self._time(row, first_seen), self._time(row, last_seen)
        self._anywhere(name, last or EARLIEST).see(first, last)

    def _private(self, row: int, username: object, number: object) -> None:
        name, amount = check.name(username), check.count(number)
        self._source.again("pm_counts", row, name.casefold())
        balance = self._anywhere(name, EARLIEST)
        balance.private_messages = check.total(balance.private_messages, amount)

    def _here(
        self, table: OldTable, row: int, username: object, channel: object, domain: object, *further: str
    ) -> Balance:
        """Somebody in a room."""
        name, room = check.name(username), check.room(domain, channel)
        folded = name.casefold()
        self._source.again(table, row, (room, folded, *further))
        self.meet(room.space, name)
        return self._balances.setdefault((room.space, room.channel, folded), Balance())

    def _anywhere(self, name: str, at: int) -> Balance:
        """Somebody of whom the row does not say where: on their site, if they are known on one only."""
        folded = name.casefold()
        sites = self._sites.get(folded, set())
        site = next(iter(sites)) if len(sites) == 1 else self._domain
        for space in {*sites, site}:
            self._call(space, name, at)
        return self._balances.setdefault((site, "", folded), Balance())

    def _call(self, space: str, name: str, at: int) -> None:
        """Of several spellings the latest counts."""
        key, said = (space, name.casefold()), _Spelling(at, name)
        self._spelled[key] = max(self._spelled.get(key, said), said)

    def _time(self, row: int, value: object) -> int | None:
        try:
            return self._source.moment(value)
        except Refused:
            self._source.say("users", row, "changed", "time_unknown")
            return None

    def _rows(self, who: str, folded: str, balance: Balance) -> Iterator[BalanceRow]:
        """A balance as the rows it takes: one, unless it has very many emotes or tokens."""
        emotes, thanks = _parts(balance.emotes), _parts(balance.thanks)
        at = self._source.newest
        yield BalanceRow(
            who, folded, at, balance.messages, balance.private_messages, balance.present,
            balance.present - balance.not_afk, emotes[0], thanks[0], balance.first_seen, balance.last_seen,
        )  # fmt: skip
        for more in emotes[1:]:
            yield BalanceRow(who, folded, at, emotes=more)
        for more in thanks[1:]:
            yield BalanceRow(who, folded, at, thanks=more)


def _add(amounts: dict[str, int], what: str, amount: int) -> None:
    amounts[what] = check.total(amounts.get(what, 0), amount)


def _parts(amounts: dict[str, int]) -> list[dict[str, int]]:
    """The amounts in their order, in parts that are small enough for a request; at least one, perhaps empty."""
    found: list[dict[str, int]] = [{}]
    size = 0
    for what, amount in sorted(amounts.items()):
        size += len(json.dumps({what: amount}))
        if size > _LARGEST or len(found[-1]) == _MOST:
            found.append({})
            size = len(json.dumps({what: amount}))
        found[-1][what] = amount
    return found
