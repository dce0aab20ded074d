"""The bridge to Discord: a bot that listens, through discord.py, one connection for each shard."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Final

from bridges.bridge import Bridge
from userstats.contract.config import Config, ConfigError
from userstats.contract.privacy import PrivacySettings

from .settings import Discord

__all__ = ["NEEDED", "Discord", "bridges"]

TOKEN: Final = "DISCORD_BOT_TOKEN"  # noqa: S105  (the name of the variable)
NEEDED: Final = f"$.discord.token, or the environment variable {TOKEN}"
"""Without which there is nothing to observe."""


def bridges(config: Config, environment: Mapping[str, str] = os.environ) -> list[Bridge]:
    """One bridge for each shard of this process; none without a token.

    Raises ConfigError where a setting is wrong or discord.py is not installed.
    """
    settings = config.section("discord", Discord)
    token = (environment.get(TOKEN) or settings.token).strip()
    if not token:
        return []
    if importlib.util.find_spec("discord") is None:
        raise ConfigError("$.discord", "discord.py is not installed: pip install 'chat-userstats[discord]'")
    return _shards(settings, token, config.section("privacy", PrivacySettings))


def _shards(settings: Discord, token: str, privacy: PrivacySettings) -> list[Bridge]:
    from . import commands  # noqa: PLC0415  (settings are read where discord.py is not installed)
    from .guild import Rules  # noqa: PLC0415
    from .identify import Turns  # noqa: PLC0415
    from .shard import DiscordBridge  # noqa: PLC0415

    turns = Turns(settings.identify_seconds)
    install = partial(commands.install, settings.commands)
    rules = Rules(_named(privacy.excluded_channels), _named(privacy.excluded_roles))
    shards = settings.shard_ids or range(settings.shard_count)
    return [DiscordBridge(settings, token, shard, turns, rules, install=install) for shard in dict.fromkeys(shards)]


def _named(words: Iterable[str]) -> frozenset[str]:
    """Ids or names, as people write them, also with the sign before them."""
    return frozenset(word.strip().lstrip("#@").casefold() for word in words)
