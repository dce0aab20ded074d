"""Who shows a token: the header `Authorization: Bearer ...`."""

from __future__ import annotations

import hmac

from aiohttp import web


def bears(request: web.Request, token: str) -> bool:
    """Whether the request shows this token; an empty one nobody has. Takes as long for any wrong one."""
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    same = hmac.compare_digest(given.encode("utf-8", "surrogateescape"), token.encode())
    return bool(token) and same and scheme.lower() == "bearer"
