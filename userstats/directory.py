"""Who is who when asked: names to people, people to their latest name, and people who share an alias as one.

Names are resolved when a question is asked, so a corrected alias corrects the past.
"""

from __future__ import annotations

import asyncio
import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple, TypeVar

from .asking import Refused, Scope
from .contract.pseudonym import FIRST_PERSON, Pseudonyms
from .shown import Asking, Shown, shown_among, shown_at
from .store.meant import ACCOUNTS
from .store.seam import Reader

R = TypeVar("R")

_GROUPED = f"WITH {ACCOUNTS} SELECT person, main FROM accounts"
_LABELS = (
    "SELECT w.person, n.name, w.at FROM wearers w JOIN names n ON n.name_key = w.name_key WHERE w.person IN :people"
)
_ALIASES = """
SELECT o.name, a.name FROM aliases
JOIN names o ON o.name_key = aliases.owner JOIN names a ON a.name_key = aliases.alias WHERE aliases.owner > 0
"""
_WORE = "SELECT person, platform, space FROM wearers WHERE name_key = :key ORDER BY person"
_PLATFORMS = "SELECT DISTINCT platform FROM places WHERE place IN :places"
"""Whose names are worn in every space of theirs (`Named.everywhere`)."""
_WORN_BY = "SELECT name_key, person FROM wearers WHERE name_key IN :keys"
_KEYS = """
SELECT name_key FROM wearers WHERE person IN :people
UNION SELECT alias FROM aliases WHERE owner IN (SELECT name_key FROM wearers WHERE person IN :people)
UNION SELECT alias FROM aliases WHERE owner = :owner
UNION SELECT owner FROM aliases WHERE owner = :owner
"""
_LATELY = """
SELECT n.name FROM (
    SELECT person, MAX(last_at) AS last_at FROM sightings WHERE 1 = 1{where}
    GROUP BY person ORDER BY 2 DESC, person LIMIT :most
) AS s JOIN wearers w ON w.person = s.person JOIN names n ON n.name_key = w.name_key ORDER BY s.last_at DESC, n.name
"""
SEEN: Final = f"""
SELECT p.platform, COUNT(*) FROM (
    SELECT person, MIN(place) AS place FROM sightings
    WHERE +person >= {FIRST_PERSON} AND person NOT IN (SELECT person FROM wearers WHERE bot = 1) GROUP BY person
) AS s JOIN places p ON p.place = s.place GROUP BY p.platform ORDER BY p.platform
"""
"""How many people were ever seen, by platform; bots are no people, and who is anonymous is not known again."""
_ELSEWHERE: Final = """
SELECT COUNT(*) - (SELECT COUNT(*) FROM person_totals WHERE person IN :people{scope}{shown})
FROM person_totals WHERE person IN :people{scope}
"""
"""Places at which these people did something that is not shown there."""
ONESELF: Final = "me"
"""As a name: the person who asks."""
_NO_KEY: Final = -1
_HIDES: Final = "keeps their numbers to themselves"
_LONGEST_COMPARED = 64
_MOST_COMPARED = 3_000
"""People, the latest seen first, whose names are compared with a name that nobody is known by."""


class Who(NamedTuple):
    """One person as the asker means them: all their accounts, and all names that thank them."""

    name: str
    """What to call them: the latest name of their main account, or the name as asked."""
    people: tuple[int, ...]
    """Their accounts; the main one first. Empty when only an alias is known and nobody has worn it."""
    keys: tuple[int, ...]
    """Keys of every name of theirs, aliases included."""


class Called(NamedTuple):
    """Somebody who is meant by a name: a person; or, where nobody wears it, the name's key."""

    number: int
    unworn: bool = False


class Directory:
    """Names and people, as of one reader's snapshot."""

    def __init__(self, reader: Reader, pseudonyms: Pseudonyms, asking: Asking = Asking()) -> None:  # noqa: B008  (frozen)
        self._reader = reader
        self._pseudonyms = pseudonyms
        self.asking = asking
        """Who asks; it decides whose numbers are told."""
        self._main: dict[int, int] | None = None

    def account(self, platform: str, account: str) -> int:
        """The person with this account, as its bridge hashes it (see `contract/questions.Account`)."""
        return self._pseudonyms.person(platform, account.casefold())

    def subject(self, platform: str | None, account: str | None) -> int:
        """Of whom something is asked: of this account, or of who asks. Refused: 403 where somebody asks of another, 400
        where it is said of nobody."""
        if platform and account:
            person = self.account(platform, account)
            if person != self.asking.me and not self.asking.for_others:
                raise Refused(403, "this may be asked of oneself only")
            return person
        if self.asking.me is None:
            raise Refused(400, "platform and account required")
        return self.asking.me

    def platform_of(self, platform: str | None) -> str:
        """The platform of that account."""
        return platform or self.asking.platform

    def name_key(self, name: str) -> int:
        """The key of a name."""
        return self._pseudonyms.name(name)

    async def shown(self, scope: Scope) -> Shown:
        """Who may be named in an answer about these places."""
        return await shown_at(self._reader, self.asking.privacy, self.asking.topic, scope)

    async def visible(self, people: Iterable[int]) -> set[int]:
        """Those of these people who may be named."""
        return await shown_among(self._reader, await self.shown(Scope()), list(people))

    async def tellable(self, names: Iterable[str]) -> set[str]:
        """Those of these names that the asker may be told of: they are not only those of people who are not shown."""
        keys = {name: self._pseudonyms.name(name) for name in names}
        wearers: dict[int, set[int]] = {}
        for key, person in await self._reader.rows(_WORN_BY, {"keys": tuple(keys.values())}):
            wearers.setdefault(key, set()).add(person)
        allowed = await self._allowed(person for people in wearers.values() for person in people)
        return {name for name, key in keys.items() if key not in wearers or wearers[key] & allowed}

    async def main(self) -> Mapping[int, int]:
        """For each person who shares an alias with others: the person who stands for all of them."""
        if self._main is None:
            self._main = dict(await self._reader.rows(_GROUPED))
        return self._main

    async def find(self, name: str, scope: Scope) -> Who:
        """The person called so. Refused: 404 nobody was ever seen by that name; 409 several are, on several sites; 403
        they keep their numbers to themselves, and somebody else asks."""
        if self.asking.me is not None and name.casefold() == ONESELF:
            return await self._who(name, await self.accounts(self.asking.me), _NO_KEY)
        key = self._pseudonyms.name(name)
        owners = await self._reader.rows("SELECT owner FROM aliases WHERE alias = :key AND owner > 0", {"key": key})
        owner = int(owners[0][0]) if owners else key
        found = await self._wearers(owner, scope) or await self._wearers(key, scope)
        if not found and not await self._reader.rows("SELECT 1 FROM aliases WHERE owner = :key", {"key": owner}):
            raise Refused(
                404, f"nobody called {name!r} was ever seen{_where(scope)}", did_you_mean=await self.like(name, scope)
            )
        mains = await self.main()
        if key != owner and not await self._allowed(person for person, *_ in found):
            found = await self._wearers(key, scope) or found
        told = await self._told(name, scope, {person for person, *_ in found})
        chosen = {mains.get(person, person) for person in told}
        if len(chosen) > 1:
            sites = sorted({f"{platform}:{space}" for person, platform, space in found if person in told})
            raise Refused(409, f"{name!r} is several people: on {', '.join(sites)}; say which with domain", sites=sites)
        people = [one for main in chosen for one in await self.accounts(main)]
        allowed = await self._allowed(people)
        return await self._who(name, [one for one in people if one in allowed], owner, key)

    async def accounts(self, person: int) -> list[int]:
        """All accounts of one person; the one that stands for them first."""
        mains = await self.main()
        main = mains.get(person, person)
        return [main, *sorted(one for one, of in mains.items() if of == main and one != main)]

    async def _who(self, name: str, people: Sequence[int], owner: int, key: int = _NO_KEY) -> Who:
        labels = await self.labels(people)
        keys = await self._reader.rows(_KEYS, {"people": people, "owner": owner})
        known = {owner, key, *(int(one) for (one,) in keys)} - {_NO_KEY}
        return Who(labels[people[0]] if people else name, tuple(people), tuple(sorted(known)))

    async def _told(self, name: str, scope: Scope, people: set[int]) -> set[int]:
        """Those of the people called so about whom the asker is told. Refused (403) where there is none."""
        allowed = await self._allowed(people)
        if not allowed and (people or self.asking.only_me):
            why = "is not you, and this is answered about oneself only" if self.asking.only_me else _HIDES
            raise Refused(403, f"{name!r} {why}")
        await self._in_all_places(name, scope, allowed)
        return allowed

    async def _allowed(self, people: Iterable[int]) -> set[int]:
        everybody = set(people)
        if self.asking.about_all:
            return everybody
        own = everybody & set(await self.accounts(self.asking.me)) if self.asking.me is not None else set()
        if self.asking.only_me:
            return own
        return own | await self.visible(everybody)

    async def _in_all_places(self, name: str, scope: Scope, people: set[int]) -> None:
        """Refused (403) where the policy shows people who have not chosen in some of the places asked about only."""
        shown = await self.shown(scope)
        if not shown.mixed or self.asking.about_all or not people:
            return
        if self.asking.me is not None and people <= set(await self.accounts(self.asking.me)):
            return
        ((hidden,),) = await self._reader.rows(
            _ELSEWHERE.format(scope=scope.where(), shown=shown.rows()),
            {"people": tuple(people), **scope.parameters, **shown.parameters},
        )
        if hidden:
            raise Refused(403, f"{name!r} is not shown in all of these places; say with domain which one you mean")

    async def like(self, name: str, scope: Scope, most: int = 3) -> list[str]:
        """Names of people lately seen there that are spelled nearly so."""
        shown = await self.shown(scope)
        sql = _LATELY.format(where=scope.where() + shown.rows())
        rows = await self._reader.rows(sql, {"most": _MOST_COMPARED, **scope.parameters, **shown.parameters})
        spelled = {one.casefold(): one for (one,) in reversed(rows)}
        folded = name.casefold()[:_LONGEST_COMPARED]
        close = await asyncio.to_thread(difflib.get_close_matches, folded, list(spelled), most, 0.6)
        return [spelled[one] for one in close]

    async def called(self, those: Iterable[Called]) -> dict[Called, str]:
        """What to call these: people by their latest name, names that nobody wears as they are."""
        wanted = list(dict.fromkeys(those))
        keys = tuple(one.number for one in wanted if one.unworn)
        rows = await self._reader.rows("SELECT name_key, name FROM names WHERE name_key IN :keys", {"keys": keys})
        texts = dict(rows)
        labels = await self.labels(one.number for one in wanted if not one.unworn)
        return {
            one: texts.get(one.number, _nameless(one.number)) if one.unworn else labels[one.number] for one in wanted
        }

    async def labels(self, people: Iterable[int]) -> dict[int, str]:
        """The latest name of each of these people; who has none is called `#` and the end of their pseudonym."""
        wanted = list(dict.fromkeys(people))
        newest: dict[int, tuple[int, str]] = {}
        for start in range(0, len(wanted), 500):
            for person, name, at in await self._reader.rows(_LABELS, {"people": wanted[start : start + 500]}):
                newest[person] = max(newest.get(person, (-1, "")), (at, name))
        return {person: newest[person][1] if person in newest else _nameless(person) for person in wanted}

    async def faces(self, people: Iterable[int]) -> dict[int, str]:
        """The latest names of those of these people who may be named."""
        return await self.labels(sorted(await self.visible(people)))

    async def merged(self, rows: Sequence[tuple[int, int]], limit: int) -> list[tuple[str, int]]:
        """(person, number) rows of people who may be named, with grouped people as one, largest first, named, cut to
        `limit`. Who stands for others but may not be named is called like one of these."""
        mains = await self.main()
        sums: dict[int, int] = {}
        faces: dict[int, int] = {}
        for person, number in rows:
            main = mains.get(person, person)
            sums[main] = sums.get(main, 0) + number
            faces[main] = min(person, faces.get(main, person))
        top = sorted(sums.items(), key=lambda one: (-one[1], one[0]))[:limit]
        grouped = {main for main, _ in top if main in mains}
        faces.update((main, main) for main in await self.visible(grouped))
        labels = await self.labels(faces[main] for main, _ in top)
        return [(labels[faces[main]], number) for main, number in top]

    async def _wearers(self, key: int, scope: Scope) -> list[tuple[int, str, str]]:
        rows = await self._reader.rows(_WORE, {"key": key})
        wide: set[str] = set()
        if scope.places is not None and scope.domain is not None and any(not space for *_, space in rows):
            wide = {one for (one,) in await self._reader.rows(_PLATFORMS, {"places": scope.places})}
        return [
            (person, platform, space)
            for person, platform, space in rows
            if scope.platform in (None, platform)
            and (scope.domain in (None, space) or (not space and platform in wide))
        ]


async def aliases_by_owner(reader: Reader) -> dict[str, list[str]]:
    """The other names of everybody who goes by more than one, by the name of their owner; both in order."""
    owners: dict[str, list[str]] = {}
    for owner, alias in await reader.rows(_ALIASES):
        owners.setdefault(owner, []).append(alias)
    return {owner: sorted(owners[owner], key=str.casefold) for owner in sorted(owners, key=str.casefold)}


def _nameless(number: int) -> str:
    return f"#{number % 10**6:06d}"


def _where(scope: Scope) -> str:
    return f" on {scope.domain}" if scope.domain else ""
