"""The lease of a room: of all bridges that could observe it, one does.

A key in a bucket that its holder renews; what is not renewed expires. A lease is *sure* for two thirds of its time
after each renewal: so long nobody else can have it. Afterwards it is merely probable - the broker is away, or this
process was stopped for a while - and what is observed then is kept back until the next renewal says whose room it is.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from typing import Final, Protocol

import nats.errors
import nats.js.errors
from nats.js.api import Header
from nats.js.kv import KV_DEL, KV_OP

from userstats.contract import subjects
from userstats.contract.broker import Connection
from userstats.contract.events import Place

log = logging.getLogger(__name__)

_SURE: Final = 2 / 3
_ANSWER_SECONDS: Final = 1.0
_WRONG_SEQUENCE: Final = (10071, 10164)
_TROUBLES: Final = (nats.errors.Error, TimeoutError, OSError)


class Fenced(Exception):
    """Somebody else has the room, or may have it. `sure_until`: until when it was ours (seconds since the epoch)."""

    def __init__(self, sure_until: float) -> None:
        super().__init__("the lease is lost")
        self.sure_until = sure_until


class Lease(Protocol):
    """A hold on one room."""

    @property
    def sure(self) -> bool:
        """Whether nobody else can hold this room now."""
        ...

    async def acquire(self) -> None:
        """Return when the room is ours, however long that takes."""
        ...

    async def keep(self) -> None:
        """Renew the lease until cancelled; raises Fenced when it is lost."""
        ...

    async def release(self) -> None:
        """Let somebody else have the room at once, if we still hold it."""
        ...


class Unshared:
    """The hold of a bridge that cannot reach the leases: the operator sees to it that it is the only one."""

    sure = True

    async def acquire(self) -> None:
        pass

    async def keep(self) -> None:
        await asyncio.Event().wait()

    async def release(self) -> None:
        pass


class NatsLease:
    """A hold that other bridges see. `holder` is the outbox: a process that is started again has at once what it held
    before."""

    def __init__(self, connection: Connection, place: Place, holder: str, seconds: int, renew_seconds: float) -> None:
        self._connection = connection
        self._jetstream = connection.jetstream(prefix=connection.api)
        self._subject = f"{subjects.LEASE_KEYS}.{subjects.lease(place)}"
        self._outbox = f"{holder} ".encode()
        self._holder = self._outbox + secrets.token_hex(8).encode()
        self._seconds = seconds
        self._renew_seconds = renew_seconds
        self._revision = 0
        self._sure_until = 0.0
        """By the monotonic clock."""
        self.sure_until = 0.0
        """The same moment in seconds since the epoch."""
        self._complaint = ""

    @property
    def sure(self) -> bool:
        return time.monotonic() < self._sure_until

    async def acquire(self) -> None:
        while True:
            if await self._tried():
                return
            await asyncio.sleep(self._renew_seconds)

    async def keep(self) -> None:
        """As `Lease.keep` says.

        While the broker cannot be reached at all the lease stays probable. A broker that can be reached and does not
        renew it for the lease's whole time has lost it.
        """
        doubtful_since: float | None = None
        while True:
            await asyncio.sleep(self._renew_seconds if self.sure else min(0.2, self._renew_seconds))
            if not self._connection.is_connected:
                doubtful_since = None
                continue
            if await self._tried(ours=True):
                doubtful_since = None
            elif not self.sure:
                doubtful_since = doubtful_since or time.monotonic()
                if time.monotonic() - doubtful_since > self._seconds:
                    raise Fenced(self.sure_until)

    async def release(self) -> None:
        if not self._revision:
            return
        headers = {KV_OP: KV_DEL}
        try:
            await self._write(b"", self._revision, headers)
        except _TROUBLES as error:
            log.debug("a lease was not released (%s); it will expire", type(error).__name__)
        self._revision, self._sure_until = 0, 0.0

    async def _tried(self, *, ours: bool = False) -> bool:
        """Whether the lease is taken or renewed now. Raises Fenced if it was `ours` and somebody else has it."""
        try:
            won = await self._take(ours=ours)
        except _TROUBLES as error:
            self._complain(f"the broker does not say ({type(error).__name__})")
            return False
        self._complain("" if won else "another bridge observes it")
        return won

    async def _take(self, *, ours: bool) -> bool:
        sequence = self._revision if ours else 0
        for _ in range(2):
            asked, wall = time.monotonic(), time.time()
            try:
                self._revision = await self._write(self._holder, sequence, {})
            except nats.js.errors.APIError as refused:
                if refused.err_code not in _WRONG_SEQUENCE:
                    raise
                free = await self._free(ours=ours)
                if free is None:
                    return False
                sequence = free
            else:
                self._sure_until = asked + self._seconds * _SURE
                self.sure_until = wall + self._seconds * _SURE
                return True
        return False

    async def _free(self, *, ours: bool) -> int | None:
        """The revision that may be followed now: of our own entry or of a released one, 0 where there is none."""
        try:
            found = await self._jetstream.get_last_msg(subjects.LEASE_STREAM, self._subject, direct=True)
        except nats.js.errors.NotFoundError:
            return 0
        value = found.data or b""
        if ours and value != self._holder:
            raise Fenced(self.sure_until)
        released = (found.headers or {}).get(KV_OP) == KV_DEL
        return found.seq if released or value.startswith(self._outbox) else None

    async def _write(self, value: bytes, after: int, headers: dict[str, str]) -> int:
        expected = {Header.EXPECTED_LAST_SUBJECT_SEQUENCE: str(after)}
        answer = await self._jetstream.publish(
            self._subject, value, timeout=_ANSWER_SECONDS, headers=headers | expected, msg_ttl=self._seconds
        )
        return answer.seq

    def _complain(self, complaint: str) -> None:
        if complaint != self._complaint:
            self._complaint = complaint
            log.info("the lease of %s: %s", self._subject.removeprefix(subjects.LEASE_KEYS), complaint or "ours")
