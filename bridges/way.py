"""How a bridge reaches userstats: over NATS, or, where it cannot reach that, over HTTP."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any, Protocol

from userstats.contract.appending import Sealed
from userstats.contract.events import Place

from .lease import Lease


class Way(Protocol):
    """One way. Its errors are NotTaken for events, OSError, TimeoutError or nats.errors.Error for questions."""

    @property
    def is_connected(self) -> bool:
        """Whether the other end was there when we last heard of it."""
        ...

    @property
    def is_closed(self) -> bool:
        """Whether it is over for good."""
        ...

    @property
    def ready(self) -> bool:
        """Whether it is worth trying now."""
        ...

    async def broker(self) -> str:
        """Which broker process takes the events now. Another one may have lost what the one before acknowledged last.

        Raises NotTaken if nobody says.
        """
        ...

    def publish(self, events: Sequence[Sealed]) -> AsyncGenerator[int, None]:
        """Publish, in order; yields how many are stored by now. It may end before all are: try again. NotTaken."""
        ...

    async def repeat(self, events: Sequence[Sealed]) -> None:
        """Publish once more what is most probably stored already. Raises NotTaken."""
        ...

    async def ask(self, question: str, request: Mapping[str, Any], timeout: float, account: str = "") -> bytes:
        """The reply to a question, as JSON: see `contract/questions.py`. `account`: for whom it is asked, as
        `HEADER_FOR` says."""
        ...

    def lease(self, place: Place, holder: str, seconds: int, renew_seconds: float) -> Lease:
        """A hold on this place."""
        ...
