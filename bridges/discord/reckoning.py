"""Asks userstats how far each history of a guild is counted, before anything of it is read or told.

What userstats has counted is the truth: another outbox may have been at work (a new one has no cursors), and what was
told from here may have been taken back. Only what is on its way is not there yet, and is waited for.
"""

from __future__ import annotations

from typing import Final

import msgspec
import nats.errors

from bridges.bridge import Desk
from userstats.contract.events import INT63

from . import payload
from .guild import PLATFORM, Guild
from .histories import Histories, History, State

QUESTION: Final = "backfill.status"
ANSWER_SECONDS: Final = 10.0
AT_ONCE: Final = 500
"""Rows of one answer."""
UNKNOWN_PLACE: Final = 404
"""The code with which userstats says that it has never heard of the guild."""
PATIENCE: Final = 5
"""So often it is asked for what was told from here and is not counted; then it was lost on the way."""


class NotSaid(Exception):
    """Userstats does not say; how."""


class Row(msgspec.Struct, frozen=True):
    """One history, as userstats tells it."""

    domain: str
    channel: str
    thread: str
    state: State
    until: str
    oldest: str
    newest: str


class _Problem(msgspec.Struct, frozen=True):
    code: int


class _Answer(msgspec.Struct, frozen=True):
    success: bool
    data: list[Row] | None = None
    error: _Problem | None = None


async def counted(desk: Desk, guild: str) -> list[Row]:
    """The histories of a guild that userstats knows. Raises NotSaid."""
    rows: list[Row] = []
    while True:
        page = await _page(desk, guild, len(rows))
        rows += page
        if len(page) < AT_ONCE:
            return [row for row in rows if row.domain == guild]


async def _page(desk: Desk, guild: str, after: int) -> list[Row]:
    request = {"platform": PLATFORM, "domain": guild, "after": after, "limit": AT_ONCE}
    try:
        answer = msgspec.json.decode(await desk.ask(QUESTION, request, ANSWER_SECONDS), type=_Answer)
    except (nats.errors.Error, OSError, TimeoutError) as error:
        raise NotSaid(type(error).__name__) from error
    except msgspec.MsgspecError as error:
        raise NotSaid("an answer that makes no sense") from error
    if answer.error is not None and answer.error.code == UNKNOWN_PLACE:
        return []
    if not answer.success or answer.data is None:
        raise NotSaid("a refusal")
    return answer.data


def adopt(histories: Histories, guild: Guild, rows: list[Row], *, patient: bool) -> bool:
    """Go on from where userstats is. False: what was told last from here is not counted yet, and there is still
    patience for it; then nothing has changed. Raises Refused for rows that make no sense."""
    numbers = [_number(row) for row in rows]
    last = histories.last(guild.id)
    told = {(row.thread or row.channel, number, row.state) for row, number in zip(rows, numbers, strict=True)}
    if last.id and (last.id, last.oldest, last.state) not in told:
        if patient:
            return False
        histories.doubt(guild.id)
    for row, number in zip(rows, numbers, strict=True):
        account = row.thread or row.channel
        known = histories.find(account)
        if account and (known is None or not known.told or number < known.oldest):
            histories.put(_taken(guild, row, number))
    histories.tell_missing(guild.id, {row.thread or row.channel for row in rows})
    return True


def _taken(guild: Guild, row: Row, oldest: int) -> History:
    newest = int(payload.perhaps(row.newest or None) or 0)
    listed = bool(row.thread) or row.state in ("complete", "partial")
    return History(
        guild.id, row.channel, row.thread, newest, oldest, payload.stamp(row.until), row.state, told=True,
        listing="done" if listed else "public",
    )  # fmt: skip


def _number(row: Row) -> int:
    return min(int(payload.account(row.oldest)), INT63)
