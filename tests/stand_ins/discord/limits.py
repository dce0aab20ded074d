"""REST rate limits: a bucket per route and major parameter, and the global one."""

from __future__ import annotations

import asyncio
import hashlib
from collections import deque
from collections.abc import Mapping
from typing import Final, NamedTuple

from .settings import Settings

_MAJOR: Final = ("channel_id", "guild_id", "webhook_id", "webhook_token", "interaction_id")
_FREE: Final = 1000
"""What a route without a limit says it allows."""


class Verdict(NamedTuple):
    """What a request is told about limits; refused if `retry_after` is not None."""

    headers: Mapping[str, str]
    retry_after: float | None = None
    everywhere: bool = False


class Limits:
    """Counts requests in real time."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.rates: dict[str, tuple[int, float]] = dict(settings.rates)
        """As `Settings.rates`; may be changed while running."""
        self._buckets: dict[tuple[str, ...], tuple[int, float]] = {}
        """Used up, and when the window ends (the loop's clock)."""
        self._recent: deque[float] = deque()

    def ask(self, route: str, params: Mapping[str, str]) -> Verdict:
        """One request: counted unless refused."""
        now = asyncio.get_running_loop().time()
        if not route.startswith(("POST /interactions/", "POST /webhooks/")) and self._globally_over(now):
            wait = round(self._recent[0] + 1 - now, 3)
            return Verdict(_refusal(wait, "global") | {"X-RateLimit-Global": "true"}, wait, everywhere=True)
        bucket = hashlib.blake2b(route.encode(), digest_size=8).hexdigest()
        if route not in self.rates:
            return Verdict(_told(bucket, _FREE, _FREE - 1, 1.0))
        limit, span = self.rates[route]
        key = (route, *(params.get(name, "") for name in _MAJOR))
        used, ends = self._buckets.get(key, (0, 0.0))
        if ends <= now:
            used, ends = 0, now + span
        wait = round(ends - now, 3)
        if used >= limit:
            return Verdict(_told(bucket, limit, 0, wait) | _refusal(wait, "user"), wait)
        self._buckets[key] = (used + 1, ends)
        return Verdict(_told(bucket, limit, limit - used - 1, wait))

    def _globally_over(self, now: float) -> bool:
        allowed = self._settings.global_rate
        while self._recent and self._recent[0] <= now - 1:
            self._recent.popleft()
        if allowed and len(self._recent) >= allowed:
            return True
        self._recent.append(now)
        return False


def _told(bucket: str, limit: int, remaining: int, reset_after: float) -> dict[str, str]:
    return {
        "X-RateLimit-Limit": str(limit),
        "X-RateLimit-Remaining": str(remaining),
        "X-RateLimit-Reset-After": str(reset_after),
        "X-RateLimit-Bucket": bucket,
    }


def _refusal(wait: float, scope: str) -> dict[str, str]:
    return {"Retry-After": str(max(1, round(wait))), "X-RateLimit-Scope": scope, "Via": "1.1 google"}
