"""Aliases: names that belong to one person. They are applied when asked, so a corrected alias corrects the past.

Stored: `aliases` (alias and owner as keys of names, whose texts are in `names`). Kept by every rebuild. A removed alias
stays as a row without owner, so that an old aliases.json does not bring it back.
"""

from __future__ import annotations

import msgspec

from ..asking import Refused, Username
from ..contract.events import AliasAdded, AliasRemoved, Named
from ..directory import Directory, aliases_by_owner
from ..recorder import Changed, Recorder
from ..statistic import KEY, PUT, Statistic, Table, query
from ..store.seam import Reader
from ..writes import Moment

ALIASES = Table("aliases", {"alias": KEY}, {"owner": PUT, "at": PUT}, (("owner", "alias"),), kept=True)
"""`owner` 0: removed."""


def added(event: AliasAdded, moment: Moment) -> None:
    moment.put(ALIASES, (event.alias,), {"owner": event.owner, "at": moment.at})


def removed(event: AliasRemoved, moment: Moment) -> None:
    moment.put(ALIASES, (event.alias,), {"owner": 0, "at": moment.at})


_LINKED = """
SELECT DISTINCT l.person FROM links l JOIN wearers w ON w.person = l.other
WHERE w.name_key IN :keys OR w.name_key IN (SELECT alias FROM aliases WHERE owner IN :keys)
"""
"""Whom those stand with who wear these names, or aliases of theirs."""


class Aliased(msgspec.Struct, frozen=True):
    """One person and the other names they go by."""

    username: str
    aliases: list[str]


class Found(msgspec.Struct, frozen=True):
    """Whose alias this is; no `username`: nobody's."""

    alias: str
    username: str | None


async def _owner(reader: Reader, key: int) -> str | None:
    """The name of the person whose alias this is."""
    rows = await reader.rows(
        "SELECT n.name FROM aliases JOIN names n ON n.name_key = aliases.owner WHERE aliases.alias = :key", {"key": key}
    )
    return rows[0][0] if rows else None


@query("alias.list", audience="everyone", period="all")
async def listed(reader: Reader, directory: Directory) -> list[Aliased]:
    """Everybody who goes by more than one name, and is shown."""
    known = await aliases_by_owner(reader)
    told = await directory.tellable(name for owner, aliases in known.items() for name in (owner, *aliases))
    found = [Aliased(owner, [one for one in aliases if one in told]) for owner, aliases in known.items()]
    return [one for one in found if one.username in told and one.aliases]


@query("alias.get", shape="card", period="all")
async def of(reader: Reader, directory: Directory, username: Username) -> Aliased:
    """The other names of one person."""
    await _may_know(directory, username)
    rows = await reader.rows(
        "SELECT n.name FROM aliases JOIN names n ON n.name_key = aliases.alias WHERE aliases.owner = :key",
        {"key": directory.name_key(username)},
    )
    return Aliased(username, sorted((name for (name,) in rows), key=str.casefold))


@query("alias.find", shape="card", period="all")
async def find(reader: Reader, directory: Directory, alias: Username) -> Found:
    """Whose alias a name is."""
    owner = await _owner(reader, directory.name_key(alias))
    await _may_know(directory, alias if owner is None else owner)
    return Found(alias, owner)


async def _may_know(directory: Directory, name: str) -> None:
    """Refused (403) where it is the name of somebody who is not shown."""
    if name not in await directory.tellable([name]):
        raise Refused(403, f"{name!r} keeps their names to themselves")


@query("alias.add", shape="card", audience="staff", period="all", changes=True)
async def add(reader: Reader, recorder: Recorder, username: Username, alias: Username) -> Changed:
    """Say that a name belongs to a person from now on, and always did."""
    owner_key, alias_key = recorder.name_key(username), recorder.name_key(alias)
    if why := await _against(reader, recorder, username, alias):
        return Changed(False, why)
    await name(reader, recorder, username)
    await name(reader, recorder, alias)
    await recorder.record(AliasAdded, owner=owner_key, alias=alias_key)
    return Changed(True, f"Added alias '{alias}' for user '{username}'")


async def _against(reader: Reader, recorder: Recorder, username: str, alias: str) -> str:
    """Why this name cannot be that person's; empty: it can."""
    owner_key, alias_key = recorder.name_key(username), recorder.name_key(alias)
    if owner_key == alias_key:
        return f"{alias!r} and {username!r} are the same name"
    taken = await _owner(reader, alias_key)
    if taken is not None and recorder.name_key(taken) == owner_key:
        return f"Alias '{alias}' already exists for user '{taken}'"
    if taken is not None:
        return f"Alias '{alias}' is already assigned to user '{taken}'"
    if (above := await _owner(reader, owner_key)) is not None:
        return f"'{username}' is itself an alias of '{above}'"
    return await _entangled(reader, owner_key, alias_key, username, alias)


async def _entangled(reader: Reader, owner_key: int, alias_key: int, username: str, alias: str) -> str:
    if await reader.rows("SELECT 1 FROM aliases WHERE owner = :key", {"key": alias_key}):
        return f"'{alias}' has aliases of its own; remove those first"
    if len(await reader.rows(_LINKED, {"keys": (owner_key, alias_key)})) > 1:
        return f"'{alias}' and '{username}' are linked with different accounts; one must take that back"
    return ""


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
