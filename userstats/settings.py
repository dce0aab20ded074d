"""What config.json says to userstats: its sections as frozen structs, or a message that names the JSON path."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec

from .asking import Refused, zone
from .contract.broker import NatsSettings, chosen
from .contract.config import Config, ConfigError
from .contract.stream import StreamSettings
from .store.open import DatabaseSettings


class QuestionSettings(msgspec.Struct, frozen=True):
    """Section `questions`."""

    timezone: str = "UTC"
    """The community's zone: days begin here unless the asker names another."""
    deadline_seconds: float = 10.0


class KudosSettings(msgspec.Struct, frozen=True):
    """Section `kudos`."""

    default_phrases: tuple[str, ...] = ("lol", "rofl", "lmao", "haha", "😂", "🤣", "😆")
    """Phrases of thanks a new installation starts with; later ones are added by request."""


class HttpSettings(msgspec.Struct, frozen=True):
    """Section `http`: metrics, health and the JSON API."""

    host: str = "127.0.0.1"
    port: int = 28282
    token: str = ""
    """With it (Authorization: Bearer ...) the API answers what only operators may ask."""


class AliasSettings(msgspec.Struct, frozen=True):
    """Section `aliases`."""

    file: str = "aliases.json"


class PseudonymSettings(msgspec.Struct, frozen=True):
    """Section `pseudonyms`."""

    key_file: str = "data/pseudonym.key"


class LogSettings(msgspec.Struct, frozen=True):
    """Section `log`."""

    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    format: Literal["console", "json"] = "console"


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
    pseudonyms: PseudonymSettings
    log: LogSettings


def read(config: Config, folder: Path) -> Settings:
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
        config.section("pseudonyms", PseudonymSettings),
        config.section("log", LogSettings),
    )
    try:
        zone(settings.questions.timezone)
    except Refused as refused:
        raise ConfigError("$.questions.timezone", refused.message.removeprefix("tz: ")) from refused
    return settings
