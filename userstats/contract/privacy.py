"""The section `privacy` of config.json: what holds for people who have not chosen. Bridges and userstats read it."""

from __future__ import annotations

from msgspec import Struct

from .consents import CLOSED, Level, Topic


class SpacePolicy(Struct, frozen=True, kw_only=True):
    """What holds in one space; null: what holds everywhere."""

    messages: Level | None = None
    voice: Level | None = None
    presence: Level | None = None
    """Of no effect where a platform tells presence to the connection and not in a space, as Discord does."""


class PrivacySettings(Struct, frozen=True, kw_only=True):
    """Section `privacy`: what is counted of people who have not chosen. off, anonymous, counted or shown."""

    messages: Level = "shown"
    """Also reactions, threads, membership, time in a room, and whatever is neither voice nor presence."""
    voice: Level = "off"
    presence: Level = "off"
    spaces: dict[str, SpacePolicy] = {}
    """Other policies, by space: a Discord guild's id, or a CyTube site."""
    excluded_channels: tuple[str, ...] = ()
    """Ids or names of channels of which nothing is counted (Discord)."""
    excluded_roles: tuple[str, ...] = ()
    """Ids or names of roles of whose members nothing is counted (Discord)."""

    def policy(self, topic: Topic, space: str = "") -> Level:
        """What holds in this space for people who have not chosen."""
        own = self.spaces.get(space) if self.spaces else None
        level: Level | None = getattr(own, topic) if own else None
        general: Level = getattr(self, topic)
        return level or general

    def lets_all(self, topic: Topic) -> bool:
        """Whether nobody who has not chosen is left out anywhere."""
        return not any(self.policy(topic, space) in CLOSED for space in ("", *self.spaces))

    def shows_all(self, topic: Topic) -> bool:
        """Whether everybody who has not chosen is shown everywhere."""
        return all(self.policy(topic, space) == "shown" for space in ("", *self.spaces))
