"""What an import of a kryten-userstats database takes over: decided before anything is recorded, the same each time."""

from __future__ import annotations

import hashlib
from typing import NamedTuple

import msgspec

from userstats.contract.events import Place
from userstats.contract.import_rows import Row

from . import kryten_checks as check
from .kryten_database import OldDatabase
from .kryten_moments import Moments
from .kryten_people import People
from .kryten_source import Source


class Alias(NamedTuple):
    """Row `row` of the old database says that this name is `owner`'s."""

    row: int
    owner: str
    alias: str


class Phrase(NamedTuple):
    """Row `row` of the old database says that this is thanks."""

    row: int
    phrase: str


class Plan(NamedTuple):
    """Everything an import takes over."""

    batch: str
    """A hash of the facts and names: of the same database always the same."""
    rooms: tuple[Place, ...]
    facts: list[tuple[Place, Row]]
    names: list[tuple[Place, Row]]
    aliases: list[Alias]
    """Whether they can be had is seen when they are asked for; so it is with phrases."""
    phrases: list[Phrase]
    source: Source
    """What becomes of each row."""
    totals: dict[str, int]
    """Sums to compare with the old program's."""


def plan(database: OldDatabase, domain: str, now: int) -> Plan:
    """Read everything. `domain`: the site of people of whom no row says it; `now`: milliseconds, dates beyond it are
    refused. Raises Refused for a domain that is none."""
    source = Source(database, now)
    people = People(source, check.space(domain))
    moments = Moments(source, people)
    people.site_wide()
    facts: list[tuple[Place, Row]] = [*people.balances(), *moments.rows()]
    names: list[tuple[Place, Row]] = [*people.names()]
    digest = hashlib.sha256(msgspec.json.encode([facts, names])).hexdigest()
    places = sorted({place for place, _ in facts}, key=lambda place: (place.space, place.channel))
    return Plan(
        digest[:32],
        tuple(place for place in places if place.channel) or tuple(places),
        facts,
        names,
        _aliases(source),
        _phrases(source),
        source,
        {**people.totals(), **moments.totals()},
    )


def _aliases(source: Source) -> list[Alias]:
    def read(row: int, username: object, alias: object) -> Alias | None:
        owner, name = check.name(username), check.short(alias, "alias", 128)
        again = source.again("user_aliases", row, (owner.casefold(), name.casefold()))
        return None if again else Alias(row, owner, name)

    return source.each("user_aliases", read)


def _phrases(source: Source) -> list[Phrase]:
    def read(row: int, phrase: object) -> Phrase | None:
        text = check.phrase(phrase)
        return None if source.again("kudos_trigger_phrases", row, text) else Phrase(row, text)

    return source.each("kudos_trigger_phrases", read)
