"""Asks a running userstats over NATS, as two kinds of programs do: Kryten's, without a key, and ours.

Usage: python examples/query_example.py [config.json]      (run it in the folder of your config.json)
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

if not __package__:
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import nats
import nats.errors
from nats.aio.client import Client

from userstats.contract import subjects
from userstats.contract.broker import BrokerRefused, BrokerUnreachable, NatsSettings, chosen, connect, running
from userstats.contract.config import ConfigError, load

COMMANDS: tuple[dict[str, Any], ...] = (
    {"command": "system.ping"},
    {"command": "system.stats"},
    {"command": "leaderboard.kudos", "limit": 3},
)
"""As kryten-userstats knows them."""
OLDER = "cytu.be.system.stats"
"""A query of the older dialect: domain, noun, verb."""
QUESTIONS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("system.health", {}),
    ("channel.list", {}),
    ("leaderboard.messages", {"since": "all", "limit": 3}),
    ("channel.population", {"hours": 1, "limit": 3}),
)
"""Ours: see docs/QUERY_ENDPOINTS.md."""


async def ask(client: Client, subject: str, request: dict[str, Any]) -> Any:
    """The reply as JSON has it. Raises nats.errors.NoRespondersError, TimeoutError."""
    reply = await client.request(subject, json.dumps(request).encode(), timeout=5)
    return json.loads(reply.data)


async def as_kryten(url: str) -> None:
    """What any program of Kryten's world does: connect without a key, and send a command."""
    client = await nats.connect(url, max_reconnect_attempts=1, reconnect_time_wait=0.1, error_cb=quietly)
    print(f"Without a key, at {url}:")
    for command in COMMANDS:
        reply = await ask(client, subjects.KRYTEN_COMMAND, {"service": "userstats", **command})
        show(command["command"], reply["data"] if reply["success"] else reply["error"])
    show(f"{subjects.SEED_QUERY}.{OLDER}", await ask(client, f"{subjects.SEED_QUERY}.{OLDER}", {}))
    await client.close()


async def quietly(_: Exception) -> None:
    """What goes wrong on the way is raised in the end; nats-py would print each attempt."""


async def as_ourselves(settings: NatsSettings, folder: Path) -> None:
    """With the key of the role `client`: every question there is, and answers that say what they are about."""
    client = await connect(settings, "client", name="query-example", folder=folder, within=2)
    print("With the key of the role client:")
    for question, request in QUESTIONS:
        reply = await ask(client, subjects.question(question), request)
        if not reply["success"]:
            show(question, reply["error"]["message"])
            continue
        period, coverage = reply["period"], reply["coverage"]
        about = [period["text"]] if period else []
        about += [f"{coverage['ratio']:.1%} observed"] if coverage and coverage["ratio"] is not None else []
        show(", ".join([question, *about]), reply["data"])
    await client.close()


def show(title: str, data: Any) -> None:
    """One answer, on a line of its own."""
    print(f"  {title}\n    {json.dumps(data, ensure_ascii=False)}")


async def examples(settings: NatsSettings, folder: Path) -> None:
    """Both, at the broker that these settings lead to."""
    ours = running(settings, folder) if settings.embedded else None
    await as_kryten(ours.url if ours else next(iter(settings.servers), "nats://localhost:4222"))
    await as_ourselves(settings, folder)


def main() -> int:
    """Exit code 1 when nobody answers."""
    config = Path(sys.argv[1] if len(sys.argv) > 1 else "config.json")
    folder = config.absolute().parent
    try:
        settings = load(config).section("nats", NatsSettings) if config.exists() else NatsSettings()
        asyncio.run(examples(chosen(settings, folder), folder))
    except (BrokerRefused, BrokerUnreachable, ConfigError) as error:
        print(error, file=sys.stderr)
    except nats.errors.NoRespondersError:
        print("The broker is there, but no userstats answers.", file=sys.stderr)
    except (nats.errors.Error, OSError, TimeoutError) as error:
        print(f"No answer: {error or type(error).__name__}", file=sys.stderr)
    else:
        return 0
    return 1


if __name__ == "__main__":
    sys.exit(main())
