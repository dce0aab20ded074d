"""Who is who when asked: names to people, people to their latest name, and people who share an alias as one.

Names are resolved when a question is asked, so a corrected alias corrects the past.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, TypeVar

from .asking import Refused, Scope
from .contract.pseudonym import Pseudonyms
from .store.seam import Reader

R = TypeVar("R")

_GROUPED = """
WITH keys AS (
    SELECT alias AS name_key, owner FROM aliases WHERE owner > 0
    UNION SELECT owner AS name_key, owner FROM aliases WHERE owner > 0
)
SELECT w.person, w.platform, w.space, k.owner, CASE WHEN k.owner = w.name_key THEN 0 ELSE 1 END AS worn
FROM keys k JOIN wearers w ON w.name_key = k.name_key
ORDER BY w.platform, w.space, k.owner, worn, w.at DESC, w.person
"""
_LABELS = (
    "SELECT w.person, n.name, w.at FROM wearers w JOIN names n ON n.name_key = w.name_key WHERE w.person IN :people"
)
_WORE = "SELECT person, platform, space FROM wearers WHERE name_key = :key ORDER BY person"
_KEYS = """
SELECT name_key FROM wearers WHERE person IN :people
UNION SELECT alias FROM aliases WHERE owner IN (SELECT name_key FROM wearers WHERE person IN :people)
UNION SELECT alias FROM aliases WHERE owner = :owner
UNION SELECT owner FROM aliases WHERE owner = :owner
"""


class Who(NamedTuple):
    """One person as the asker means them: all their accounts, and all names that thank them."""

    name: str
    """What to call them: the latest name of their main account, or the name as asked."""
    people: tuple[int, ...]
    """Their accounts; the main one first. Empty when only an alias is known and nobody has worn it."""
    keys: tuple[int, ...]
    """Keys of every name of theirs, aliases included."""


class Directory:
    """Names and people, as of one reader's snapshot."""

    def __init__(self, reader: Reader, pseudonyms: Pseudonyms) -> None:
        self._reader = reader
        self._pseudonyms = pseudonyms
        self._main: dict[int, int] | None = None

    async def main(self) -> Mapping[int, int]:
        """For each person who shares an alias with others: the person who stands for all of them."""
        if self._main is None:
            self._main = {}
            first: dict[tuple[str, str, int], int] = {}
            for person, platform, space, owner, _ in await self._reader.rows(_GROUPED):
                self._main.setdefault(person, first.setdefault((platform, space, owner), person))
        return self._main

    async def find(self, name: str, scope: Scope) -> Who:
        """The person called so. Refused: 404 nobody was ever seen by that name; 409 several are, on several sites."""
        key = self._pseudonyms.name(name)
        owners = await self._reader.rows("SELECT owner FROM aliases WHERE alias = :key AND owner > 0", {"key": key})
        owner = int(owners[0][0]) if owners else key
        found = await self._wearers(owner, scope) or await self._wearers(key, scope)
        if not found and not await self._reader.rows("SELECT 1 FROM aliases WHERE owner = :key", {"key": owner}):
            raise Refused(404, f"nobody called {name!r} was ever seen{_where(scope)}")
        mains = await self.main()
        chosen = {mains.get(person, person) for person, *_ in found}
        if len(chosen) > 1:
            sites = sorted({f"{platform}:{space}" for _, platform, space in found})
            raise Refused(409, f"{name!r} is several people: on {', '.join(sites)}; say which with domain", sites=sites)
        main = chosen.pop() if chosen else None
        people = () if main is None else (main, *sorted(p for p, m in mains.items() if m == main and p != main))
        labels = await self.labels(people)
        keys = await self._reader.rows(_KEYS, {"people": people, "owner": owner})
        label = labels.get(main, name) if main is not None else name
        return Who(label, people, tuple(sorted({owner, key, *(int(one) for (one,) in keys)})))

    async def labels(self, people: Iterable[int]) -> dict[int, str]:
        """The latest name of each of these people; who has none is called `#` and the end of their pseudonym."""
        wanted = list(dict.fromkeys(people))
        newest: dict[int, tuple[int, str]] = {}
        for start in range(0, len(wanted), 500):
            for person, name, at in await self._reader.rows(_LABELS, {"people": wanted[start : start + 500]}):
                newest[person] = max(newest.get(person, (-1, "")), (at, name))
        return {person: newest[person][1] if person in newest else f"#{person % 10**6:06d}" for person in wanted}

    async def extra(self) -> int:
        """How many more rows than asked for an indexed top list must be read, so that merging groups stays exact."""
        return len(await self.main())

    async def merged(self, rows: Sequence[tuple[int, int]], limit: int) -> list[tuple[str, int]]:
        """(person, number) rows with grouped people as one, largest first, named, cut to `limit`."""
        mains = await self.main()
        sums: dict[int, int] = {}
        for person, number in rows:
            main = mains.get(person, person)
            sums[main] = sums.get(main, 0) + number
        top = sorted(sums.items(), key=lambda one: (-one[1], one[0]))[:limit]
        labels = await self.labels(person for person, _ in top)
        return [(labels[person], number) for person, number in top]

    async def _wearers(self, key: int, scope: Scope) -> list[tuple[int, str, str]]:
        rows = await self._reader.rows(_WORE, {"key": key})
        return [
            (person, platform, space)
            for person, platform, space in rows
            if scope.platform in (None, platform) and scope.domain in (None, space)
        ]


def _where(scope: Scope) -> str:
    return f" on {scope.domain}" if scope.domain else ""
