"""The line to Kryten's NATS: what the robots say, in the order it arrives, in one bounded queue."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final, Literal, NamedTuple

import nats.errors
from nats.aio.msg import Msg

from bridges.bridge import Ended
from userstats.contract import subjects
from userstats.contract.broker import BrokerRefused, Connection, ConnectionEnded, NatsSettings, connect
from userstats.contract.events import Place

MOST_WAITING: Final = 10_000
MOST_BYTES: Final = 32 * 1024 * 1024
"""What may wait to be read. Beyond either the line is given up, since what is missing cannot be asked for."""
REFUSED_SECONDS: Final = 60.0


class Heard(NamedTuple):
    """A message of a robot."""

    at: int
    """Milliseconds, the bridge's clock."""
    raw: bytes
    moment: str = ""
    """Of a robot's life (`startup`, `connected`, ...); empty: an envelope with a frame of CyTube."""


class Closed(NamedTuple):
    """The last thing that comes out of a line."""

    reason: Literal["lost", "refused"]
    explanation: str
    overflow: bool = False
    """Whether something was said that there was no room for."""

    def ended(self) -> Ended:
        """The same, as a watch says it."""
        return Ended(self.reason, self.explanation, REFUSED_SECONDS if self.reason == "refused" else 0.0)


class Line:
    """What arrives on one connection. Made by `listening`."""

    def __init__(self, now: Callable[[], int]) -> None:
        self._now = now
        self._arrived: asyncio.Queue[Heard | Closed] = asyncio.Queue(MOST_WAITING + 1)
        self._bytes = 0
        self._closed = False

    async def next(self, within: float) -> Heard | Closed | None:
        """The next thing that arrived, `Closed` being the last; None when nothing does for so many seconds."""
        try:
            async with asyncio.timeout(max(0.0, within)):
                arrived = await self._arrived.get()
        except TimeoutError:
            return None
        if isinstance(arrived, Heard):
            self._bytes -= len(arrived.raw)
        return arrived

    async def enveloped(self, message: Msg) -> None:
        """A frame of CyTube that a robot hands on."""
        self._put(Heard(self._now(), message.data))

    async def lived(self, message: Msg) -> None:
        """A robot says what becomes of it."""
        self._put(Heard(self._now(), message.data, message.subject.rpartition(".")[2]))

    def gone(self) -> None:
        """The broker cannot be reached; what is said meanwhile will not be heard."""
        self._close(Closed("lost", "Kryten's broker is gone"))

    def failed(self, error: Exception) -> None:
        """Something is wrong with the connection; not everything is about what we hear."""
        if isinstance(error, nats.errors.SlowConsumerError):
            self._overflow()
        elif isinstance(error, ConnectionEnded):
            self.gone()
        elif "permissions violation for subscription" in str(error).lower():
            self._close(Closed("refused", "Kryten's broker does not let us hear the robot"))

    def _put(self, heard: Heard) -> None:
        if self._closed:
            return
        if self._arrived.qsize() >= MOST_WAITING or self._bytes + len(heard.raw) > MOST_BYTES:
            self._overflow()
            return
        self._bytes += len(heard.raw)
        self._arrived.put_nowait(heard)

    def _overflow(self) -> None:
        self._close(Closed("lost", "too much arrived at once", overflow=True))

    def _close(self, closed: Closed) -> None:
        if not self._closed:
            self._closed = True
            self._arrived.put_nowait(closed)


@asynccontextmanager
async def listening(
    broker: NatsSettings, folder: Path, place: Place, now: Callable[[], int]
) -> AsyncIterator[tuple[Connection, Line]]:
    """Connected to Kryten's broker, hearing the robots that are in a channel of this name, and what becomes of them.

    Raises Ended: `lost` where no broker answers, `refused` where it does not want us.
    """
    line = Line(now)
    try:
        connection = await connect(
            broker, "kryten", name=f"bridge-kryten {place.space}/{place.channel}", folder=folder, within=5.0,
            on_gone=line.gone, on_error=line.failed,
        )  # fmt: skip
    except BrokerRefused as error:
        raise Ended("refused", f"Kryten's broker: {error}", REFUSED_SECONDS) from error
    except (nats.errors.Error, OSError) as error:
        raise Ended("lost", f"Kryten's broker does not answer ({type(error).__name__})") from error
    try:
        for subject, hear in (
            (subjects.kryten_events_of(place.channel), line.enveloped),
            (subjects.KRYTEN_ROBOT, line.lived),
        ):
            await connection.subscribe(
                subject, cb=hear, pending_msgs_limit=MOST_WAITING, pending_bytes_limit=MOST_BYTES
            )
        await connection.flush()
        yield connection, line
    except (nats.errors.Error, OSError) as error:
        raise Ended("lost", f"Kryten's broker is gone ({type(error).__name__})") from error
    finally:
        await connection.close()
