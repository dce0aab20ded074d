"""Aliases: names that belong to one person. They are applied when asked, so a corrected alias corrects the past.

Stored: `aliases` (alias and owner as keys of names, whose texts are in `names`). Kept by every rebuild. A removed alias
stays as a row without owner, so that an old aliases.json does not bring it back.
"""

from __future__ import annotations

import msgspec

from ..asking import Username
from ..contract.events import AliasAdded, AliasRemoved, Named
from ..recorder import Recorder
from ..statistic import KEY, PUT, Statistic, Table, query
from ..store.seam import Reader
from ..writes import Moment

ALIASES = Table("aliases", {"alias": KEY}, {"owner": PUT, "at": PUT}, (("owner", "alias"),), kept=True)
"""`owner` 0: removed."""


def added(event: AliasAdded, moment: Moment) -> None:
    moment.put(ALIASES, (event.alias,), {"owner": event.owner, "at": moment.at})


def removed(event: AliasRemoved, moment: Moment) -> None:
    moment.put(ALIASES, (event.alias,), {"owner": 0, "at": moment.at})


class Aliased(msgspec.Struct, frozen=True):
    """One person and the other names they go by."""

    username: str
    aliases: list[str]


class Found(msgspec.Struct, frozen=True):
    """Whose alias this is; no `username`: nobody's."""

    alias: str
    username: str | None


class Changed(msgspec.Struct, frozen=True):
    """What a request to change came to."""

    changed: bool
    message: str


_ALL = """
SELECT o.name, a.name FROM aliases
JOIN names o ON o.name_key = aliases.owner JOIN names a ON a.name_key = aliases.alias WHERE aliases.owner > 0
"""


async def _by_owner(reader: Reader) -> dict[str, list[str]]:
    owners: dict[str, list[str]] = {}
    for owner, alias in await reader.rows(_ALL):
        owners.setdefault(owner, []).append(alias)
    return {owner: sorted(owners[owner], key=str.casefold) for owner in sorted(owners, key=str.casefold)}


async def _owner(reader: Reader, key: int) -> str | None:
    """The name of the person whose alias this is."""
    rows = await reader.rows(
        "SELECT n.name FROM aliases JOIN names n ON n.name_key = aliases.owner WHERE aliases.alias = :key", {"key": key}
    )
    return rows[0][0] if rows else None


@query("alias.list", audience="everyone", period="all")
async def listed(reader: Reader) -> list[Aliased]:
    """Everybody who goes by more than one name."""
    return [Aliased(owner, aliases) for owner, aliases in (await _by_owner(reader)).items()]


@query("alias.get", shape="card", period="all")
async def of(reader: Reader, recorder: Recorder, username: Username) -> Aliased:
    """The other names of one person."""
    rows = await reader.rows(
        "SELECT n.name FROM aliases JOIN names n ON n.name_key = aliases.alias WHERE aliases.owner = :key",
        {"key": recorder.name_key(username)},
    )
    return Aliased(username, sorted((name for (name,) in rows), key=str.casefold))


@query("alias.find", shape="card", period="all")
async def find(reader: Reader, recorder: Recorder, alias: Username) -> Found:
    """Whose alias a name is."""
    return Found(alias, await _owner(reader, recorder.name_key(alias)))


@query("alias.add", shape="card", audience="staff", period="all", changes=True)
async def add(reader: Reader, recorder: Recorder, username: Username, alias: Username) -> Changed:
    """Say that a name belongs to a person from now on, and always did."""
    owner_key, alias_key = recorder.name_key(username), recorder.name_key(alias)
    if owner_key == alias_key:
        return Changed(False, f"{alias!r} and {username!r} are the same name")
    taken = await _owner(reader, alias_key)
    if taken is not None and recorder.name_key(taken) == owner_key:
        return Changed(False, f"Alias '{alias}' already exists for user '{taken}'")
    if taken is not None:
        return Changed(False, f"Alias '{alias}' is already assigned to user '{taken}'")
    above = await _owner(reader, owner_key)
    if above is not None:
        return Changed(False, f"'{username}' is itself an alias of '{above}'")
    if await reader.rows("SELECT 1 FROM aliases WHERE owner = :key", {"key": alias_key}):
        return Changed(False, f"'{alias}' has aliases of its own; remove those first")
    await name(reader, recorder, username)
    await name(reader, recorder, alias)
    await recorder.record(AliasAdded, owner=owner_key, alias=alias_key)
    return Changed(True, f"Added alias '{alias}' for user '{username}'")


@query("alias.remove", shape="card", audience="staff", period="all", changes=True)
async def remove(reader: Reader, recorder: Recorder, alias: Username) -> Changed:
    """Say that a name is nobody else's any more."""
    key = recorder.name_key(alias)
    owner = await _owner(reader, key)
    if owner is None:
        return Changed(False, f"Alias '{alias}' not found")
    await recorder.record(AliasRemoved, alias=key)
    return Changed(True, f"Deleted alias '{alias}' for user '{owner}'")


async def name(reader: Reader, recorder: Recorder, text: str) -> None:
    """Give the key of a name its text, where nobody was seen by that name yet."""
    key = recorder.name_key(text)
    if not await reader.rows("SELECT 1 FROM names WHERE name_key = :key", {"key": key}):
        await recorder.record(Named, key=key, name=text)


STATISTIC = Statistic(
    name="aliases",
    on={AliasAdded: added, AliasRemoved: removed},
    tables=(ALIASES,),
    questions=(listed, of, find, add, remove),
    reads=("people",),
)
