"""Events from bridges that cannot reach NATS, appended to the stream as if they could.

Over NATS whatever bytes a bridge publishes are in the stream, and what is no event becomes a dead letter when it is
counted. So it is here: a line that cannot be read is appended too. It would otherwise stay at the head of its bridge's
outbox for ever, and everything after it would wait; and what only a newer userstats can read can still be counted by
that one. Its message id is a hash of its bytes: the row that it says it is may be what is wrong with it.

Two things are refused, as the broker refuses them: what is larger than the stream takes, and an event of a platform
that no bridge tells of (`userstats` above all, whose events change settings).
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from typing import Annotated, Final, NamedTuple

import msgspec

from .contract import subjects, wire
from .contract.appending import Appender, NotTaken, Sealed
from .contract.broker import PLATFORMS, Connection
from .contract.events import Place
from .contract.wire import Bad

_NOWHERE: Final = Place(subjects.UNREADABLE, "", "")


class Line(NamedTuple):
    """One event as it goes into the stream."""

    event: Sealed
    bad: Bad | None
    """Why it will be a dead letter, if it will."""


class NotAccepted(Exception):
    """A line that does not go into the stream. `code` is 403 or 413."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class _Address(msgspec.Struct):
    """What must be readable of a message so that it can be published where it belongs. Whatever else may be wrong with
    it, these are no free text: they become the subject, which dead letters repeat."""

    kind: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z]{1,64}(?![\s\S])")]
    place: Place


_addresses: Final = msgspec.json.Decoder(_Address)


def read(raw: bytes) -> Line:
    """What these bytes, one sealed event, are published as. Raises NotAccepted."""
    if len(raw) > wire.LARGEST:
        raise NotAccepted(
            413, f"it has {len(raw)} bytes, the most is {wire.LARGEST}; say EventRefused(too_big) in its place"
        )
    event = wire.decode(raw)
    if isinstance(event, Bad):
        return Line(Sealed(_address(raw), raw, f"sha256:{hashlib.sha256(raw).hexdigest()}"), event)
    _admit(event.place.platform)
    subject = subjects.event(event.place, wire.kind_of(event))
    return Line(Sealed(subject, raw, subjects.message_id(event.producer, event.n)), None)


def _address(raw: bytes) -> str:
    """Where something is published that is no event. Raises NotAccepted."""
    try:
        said = _addresses.decode(raw)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return subjects.event(_NOWHERE, "Unreadable")
    _admit(said.place.platform)
    return subjects.event(said.place, said.kind)


def _admit(platform: str) -> None:
    if platform not in PLATFORMS:
        raise NotAccepted(403, f"it says it is of a platform that no bridge tells of; known are {', '.join(PLATFORMS)}")


class Gateway:
    """Appends what was read, one batch after the other."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._appender = Appender(connection)
        self._turn = asyncio.Lock()

    @property
    def broker(self) -> str:
        """Which broker process takes events now; empty while none can be reached."""
        return self._connection.server_id if self._connection.is_connected else ""

    async def append(self, events: Sequence[Sealed]) -> None:
        """Append all of them, in order; then they are on the broker's disk.

        Raises NotTaken, or ConnectionClosedError: the first of them may be in the stream, and all may be given again.
        """
        async with self._turn:
            if not self.broker:
                raise NotTaken("the broker cannot be reached")
            async for _ in self._appender.append(events):
                pass
