"""Where userstats is asked: server, credentials and their folder, from flags, environment and config.json.

Nothing is connected here.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import urlsplit

import msgspec

from ...contract.broker_settings import NatsSettings, chosen, running
from ...contract.config import ConfigError, load
from .exits import Exit, Trouble
from .options import Options

FILE: Final = "config.json"


class Way(NamedTuple):
    """The way to a broker."""

    settings: NatsSettings
    folder: Path
    """Where relative paths of the settings begin."""
    said: str
    """Where it comes from, for people."""


def find(options: Options, environment: Mapping[str, str], here: Path, home: Path) -> Way:
    """The way there. `here` is the working directory, `home` the program's own folder.

    A flag wins over the environment (NATS_URL, NATS_CREDS), that over config.json, that over the embedded broker.
    Raises Trouble.
    """
    file = _file(options, here, home)
    if file is None:
        settings = NatsSettings()
        folder = next((one for one in (here, home) if running(settings, one)), here)
        way = Way(settings, folder, f"the embedded broker in {folder / settings.store}")
    else:
        try:
            settings = load(file, environment).section("nats", NatsSettings)
        except ConfigError as error:
            raise Trouble(Exit.FAILURE, str(error)) from error
        way = Way(chosen(settings, file.parent), file.parent, str(file))
    if server := _server(options, environment):
        settings, said = (
            msgspec.structs.replace(settings, servers=(server,)),
            "--server" if options.server else "NATS_URL",
        )
        way = Way(settings, way.folder, said)
    creds = options.creds or (Path(environment["NATS_CREDS"]) if environment.get("NATS_CREDS") else None)
    if creds and way.settings.servers:
        way = way._replace(settings=msgspec.structs.replace(way.settings, creds=str((here / creds).absolute())))
    return way


def _file(options: Options, here: Path, home: Path) -> Path | None:
    if options.config:
        return here / options.config
    return next((folder / FILE for folder in (here, home) if (folder / FILE).is_file()), None)


def _server(options: Options, environment: Mapping[str, str]) -> str:
    if options.server and "@" in urlsplit(options.server).netloc:
        raise Trouble(
            Exit.USAGE, "--server: no user or password there, others can read a command line; NATS_URL, --creds and "
            "config.json are for that",
        )  # fmt: skip
    return options.server or environment.get("NATS_URL", "")
