"""Which rooms there are: the entries of `channels` in config.json, and what people write on a command line."""

from __future__ import annotations

import re
from typing import Final, Literal, NamedTuple
from urllib.parse import SplitResult, urlsplit

from msgspec import Struct

from userstats.contract.events import Place

PLATFORM: Final = "cytube"
AUTO_VIA: Final = "USERSTATS_AUTO_VIA"
"""Environment variable: through what rooms are observed whose configuration says `auto`. Default: cytube."""
GIVEN_ROOMS: Final = "USERSTATS_ROOMS"
"""Environment variable: a JSON list of rooms (`cytu.be/NAME`) beside those of the configuration: what was given on the
command line of `scripts/up.py`."""
_ROOM = re.compile(r"[A-Za-z0-9_-]{1,30}", re.ASCII)
_HOST = re.compile(r"[A-Za-z0-9._-]{1,80}|[0-9A-Fa-f:.]{2,45}", re.ASCII)
_PREFIXES: Final = frozenset({"r", "c", "channel"})
"""Path segments that CyTube sites put before a room's name; `r` is the default."""


class Channel(Struct, frozen=True, kw_only=True):
    """One entry of `channels`: a room of a CyTube site."""

    domain: str
    """`cytu.be`, `localhost:8080`, or a URL of the site (`http://...` where it has no TLS)."""
    channel: str
    """The room, as it is spelled in its address."""
    via: Literal["auto", "cytube", "kryten"] = "auto"
    """Who listens: our own connection, or a kryten-robot that is there already."""
    password: str = ""
    """The room's password, where it has one."""
    bots: tuple[str, ...] = ()
    """Names of other bots in the room: what they say is counted apart."""

    def __repr__(self) -> str:
        return f"Channel({self.domain!r}, {self.channel!r}, via={self.via!r})"  # without the password


class Site(NamedTuple):
    """Where a CyTube site is."""

    origin: str
    """Scheme, host and port: `https://cytu.be`."""
    space: str
    """How places and subjects call it: the host, and the port where it is not the scheme's own, in lower case."""


def site(domain: str) -> Site:
    """The site behind a `domain` setting. A bare name means https, or http on this machine's own loopback.

    Raises ValueError that says what is wrong, without quoting what might hold a password.
    """
    parts = _split(domain)
    scheme = parts.scheme.lower()
    if scheme not in ("", "http", "https"):
        raise ValueError("a site is reached over http or https")
    if "@" in parts.netloc:
        raise ValueError("no user or password belongs into the address of a site")
    try:
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError as error:
        raise ValueError("the port of the site is not a number up to 65535") from error
    if not _HOST.fullmatch(host):
        raise ValueError("the site has no valid host name")
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError("a site is a host and perhaps a port, without a path")
    scheme = scheme or ("http" if _loopback(host) else "https")
    named = f"[{host}]" if ":" in host else host
    space = named if port in (None, {"http": 80, "https": 443}[scheme]) else f"{named}:{port}"
    return Site(f"{scheme}://{space}", space)


def place_of(channel: Channel) -> Place:
    """The room as every event names it. Raises ValueError as `site` does, and for a name that no room can have."""
    if not _ROOM.fullmatch(channel.channel):
        raise ValueError("a room's name has 1 to 30 letters, digits, - and _")
    return Place(platform=PLATFORM, space=site(channel.domain).space, channel=channel.channel.lower())


def parse_channel(text: str) -> Channel:
    """The room in an address: `cytu.be/r/NAME`, `cytu.be/NAME`, `http://host:port/NAME`.

    Raises ValueError that says what is wrong with it.
    """
    parts = _split(text)
    segments = [segment for segment in parts.path.split("/") if segment]
    if len(segments) == 2 and segments[0] in _PREFIXES:
        del segments[0]
    if len(segments) != 1:
        raise ValueError("the address of a room is SITE/ROOM or SITE/r/ROOM, for example cytu.be/r/NAME")
    domain = f"{parts.scheme}://{parts.netloc}" if parts.scheme else parts.netloc
    channel = Channel(domain=domain, channel=segments[0])
    place_of(channel)
    return channel


def _split(text: str) -> SplitResult:
    text = text.strip()
    try:
        return urlsplit(text if "://" in text else f"//{text}")
    except ValueError as error:
        raise ValueError("this is no address") from error


def _loopback(host: str) -> bool:
    return host == "localhost" or host.endswith(".localhost") or host == "::1" or host.startswith("127.")
