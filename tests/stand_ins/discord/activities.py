"""Activities of a presence."""

from __future__ import annotations

from .settings import Json


def playing(name: str, *, details: str | None = None, state: str | None = None) -> Json:
    """A game."""
    return _named(0, name, details=details, state=state)


def streaming(name: str, url: str) -> Json:
    """On Twitch or YouTube."""
    return _named(1, name, url=url)


def listening(name: str, *, details: str | None = None, state: str | None = None) -> Json:
    """`listening("Spotify", details="the song", state="who sings")`."""
    return _named(2, name, details=details, state=state)


def watching(name: str) -> Json:
    """A film."""
    return _named(3, name)


def custom(text: str | None, emoji: str | None = None) -> Json:
    """A custom status."""
    return _named(4, "Custom Status", state=text, emoji={"name": emoji} if emoji else None)


def competing(name: str) -> Json:
    """In a tournament."""
    return _named(5, name)


def _named(kind: int, name: str, **more: Json) -> Json:
    return {"type": kind, "name": name} | {key: value for key, value in more.items() if value is not None}
