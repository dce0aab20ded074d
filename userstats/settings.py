"""What config.json says to userstats: its sections as frozen structs, or a message that names the JSON path."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec

from .asking import Refused, zone
from .catalogue import Catalogue
from .contract.broker import NatsSettings, chosen
from .contract.config import Config, ConfigError
from .contract.kryten import KrytenSettings
from .contract.privacy import PrivacySettings
from .contract.process import LogSettings, PseudonymSettings
from .contract.stream import StreamSettings
from .kudos_rules import KudosSettings as KudosSettings  # noqa: PLC0414  (others say `settings.KudosSettings`)
from .store.open import DatabaseSettings


class QuestionSettings(msgspec.Struct, frozen=True):
    """Section `questions`."""

    timezone: str = "UTC"
    """The community's zone: days begin here unless the asker names another."""
    deadline_seconds: float = 10.0


class HttpSettings(msgspec.Struct, frozen=True):
    """Section `http`: metrics, health and the JSON API."""

    host: str = "127.0.0.1"
    port: int = 28282
    """0: any free one; the start says which."""
    token: str = ""
    """With it (Authorization: Bearer ...) the API answers what only operators may ask."""
    events_token: str = ""
    """With it a bridge that cannot reach NATS publishes at /api/events, and asks what staff may ask. Without it nobody
    may. It must be another one than `token`."""


class AliasSettings(msgspec.Struct, frozen=True):
    """Section `aliases`."""

    file: str = "aliases.json"


class _Channel(msgspec.Struct, frozen=True):
    """What userstats needs of one of the bridges' `channels`."""

    domain: str
    channel: str


class Settings(msgspec.Struct, frozen=True):
    """Everything userstats is told."""

    folder: Path
    """Where relative paths begin: the folder of the configuration file."""
    nats: NatsSettings
    stream: StreamSettings
    database: DatabaseSettings
    questions: QuestionSettings
    kudos: KudosSettings
    http: HttpSettings
    aliases: AliasSettings
    privacy: PrivacySettings
    pseudonyms: PseudonymSettings
    log: LogSettings
    kryten: KrytenSettings
    observed: tuple[tuple[str, str], ...]
    """Site (in lower case) and channel (as it is spelled) of the rooms that bridges are told to observe."""
    rooms: Mapping[str, msgspec.Struct]
    """What the rooms are told, by room (`Statistic.settings`)."""


def read(config: Config, folder: Path, known: Catalogue) -> Settings:
    """Userstats' settings. Raises ConfigError."""
    settings = Settings(
        folder,
        chosen(config.section("nats", NatsSettings), folder),
        config.section("stream", StreamSettings),
        config.section("database", DatabaseSettings),
        config.section("questions", QuestionSettings),
        config.section("kudos", KudosSettings),
        config.section("http", HttpSettings),
        config.section("aliases", AliasSettings),
        config.section("privacy", PrivacySettings),
        config.section("pseudonyms", PseudonymSettings),
        config.section("log", LogSettings),
        config.section("kryten", KrytenSettings),
        _observed(config),
        known.settings(config),
    )
    try:
        zone(settings.questions.timezone)
    except Refused as refused:
        raise ConfigError("$.questions.timezone", refused.message.removeprefix("tz: ")) from refused
    if settings.http.token and settings.http.token == settings.http.events_token:
        raise ConfigError("$.http.events_token", "must be another one than $.http.token: a bridge is no operator")
    return settings


def _observed(config: Config) -> tuple[tuple[str, str], ...]:
    try:
        channels = msgspec.convert(config.document.get("channels", []), list[_Channel])
    except msgspec.ValidationError as error:
        text, _, at = str(error).partition(" - at `$")
        raise ConfigError(f"$.channels{at.rstrip('`')}", text) from error
    return tuple((_site(one.domain), one.channel) for one in channels)


def _site(domain: str) -> str:
    """A site as places name it: without scheme and path."""
    scheme, _, rest = domain.partition("://")
    return (rest or scheme).partition("/")[0].strip().lower()
