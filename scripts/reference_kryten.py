"""The part of docs/QUERY_ENDPOINTS.md about Kryten's world: its commands, read from the functions that answer them."""

from __future__ import annotations

import ast
import inspect
import json
import textwrap
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any, Final, NamedTuple

from scripts.reference_words import code, table
from userstats.contract import subjects
from userstats.surfaces.kryten.commands import COMMANDS
from userstats.surfaces.kryten.dialect import DOCUMENTED
from userstats.surfaces.kryten.inquiry import Handler

_OPENING: Final = f"""
## Kryten's dialects

Programs that were written for kryten-userstats ask here what they always asked, without a key, on
`nats://localhost:4222`, and get answers in its shapes. A parameter may be left out unless it is called required.
`domain` names a site (default: that of the first configured channel), `channel` a channel in any capitals; without it
the whole site is meant.

### `{subjects.KRYTEN_COMMAND}`

The payload names a `command` and its parameters, and may name a `service`, which must then be `{subjects.SERVICE}`. The
reply is `{{"service", "command", "success": true, "data"}}`, or with `"success": false` an `error` in words.

```console
$ nats request {subjects.KRYTEN_COMMAND} '{{"service":"userstats","command":"user.stats","username":"alice"}}'
$ nats request {subjects.KRYTEN_COMMAND} '{{"command":"leaderboard.kudos","limit":10}}'
```
"""
_OLDER: Final = f"""
### `{subjects.SEED_QUERY}.<domain>.<noun>.<verb>`

The older subjects: the last two tokens are noun and verb, what stands before them is the domain, dots and all. These
queries are answered flat, in the shapes that were once documented:

{", ".join(map(code, DOCUMENTED))}.

Any other command of the table above is answered flat too, and any other of our questions in our own envelope. What
cannot be answered is `{{"success": false, "error": "..."}}`.

```console
$ nats request {subjects.SEED_QUERY}.cytu.be.system.stats '{{}}'
$ nats request {subjects.SEED_QUERY}.cytu.be.channel.top_users '{{"channel":"420grindhouse","limit":10}}'
```
"""
_CHANNEL: Final = {"in_channel": "(required)", "in_default_channel": "(default: the first one)"}
_PLACES: Final = frozenset(("channel", "where"))
_READS: Final = frozenset(("text", "optional", "whole", "limits"))
_ASKS: Final = frozenset(("ask", "known"))


class Command(NamedTuple):
    """What a command takes, and which of our questions answer it."""

    parameters: dict[str, str]
    """In words, by name."""
    questions: list[str]


def parts() -> list[str]:
    """The sections."""
    rows = []
    for name, handler in COMMANDS.items():
        read = command(handler)
        taken = ", ".join(f"{code(one)} {words}".strip() for one, words in read.parameters.items())
        rows.append((code(name), taken, ", ".join(map(code, read.questions))))
    return [_OPENING.strip(), table(("Command", "Parameters", "Answered by"), rows), _OLDER.strip()]


def command(handler: Handler) -> Command:
    """What a handler reads of its request and what it asks, its helpers included."""
    found = Command({}, [])
    for node in _nodes(handler, set()):
        name, constants = _named(node)
        if name in _CHANNEL:
            found.parameters["channel"] = _CHANNEL[name]
        elif name in _PLACES:
            found.parameters.setdefault("channel", "")
        elif name in _READS and constants:
            found.parameters.setdefault(*_parameter(name, *constants))
        elif name in _ASKS and constants and constants[0] not in found.questions:
            found.questions.append(constants[0])
    return found


def _parameter(reader: str, name: str, *more: Any) -> tuple[str, str]:
    words = f"(default {json.dumps(more[0])})" if more and more[0] else ""
    return (f"limits.{name}" if reader == "limits" else name), "(required)" if reader == "text" else words


def _nodes(function: Callable[..., Any], seen: set[Any]) -> Iterator[ast.Call | ast.Attribute]:
    """Calls and attributes in a function that gets a request, and in those that it hands the request on to."""
    seen.add(function)
    module = vars(inspect.getmodule(function))
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "ask":
            yield node
        if isinstance(node, ast.Call):
            yield node
            called = _called(node.func, module)
            if inspect.isfunction(called) and called not in seen and "ask" in inspect.signature(called).parameters:
                yield from _nodes(called, seen)


def _called(func: ast.expr, module: dict[str, Any]) -> Any:
    """What stands behind `name`, `module.name` or `TABLE["name"]` in a call; None where a running program decides."""
    match func:
        case ast.Name(id=name):
            return module.get(name)
        case ast.Attribute(value=ast.Name(id=name), attr=attribute) if isinstance(module.get(name), ModuleType):
            return getattr(module[name], attribute)
        case ast.Subscript(value=table_of, slice=ast.Constant(value=key)):
            return _called(table_of, module)[key]
        case _:
            return None


def _named(node: ast.Call | ast.Attribute) -> tuple[str, list[Any]]:
    """The method that is called, or the attribute, and which constants are handed to it."""
    if isinstance(node, ast.Attribute):
        return node.attr, []
    constants = [one.value for one in node.args if isinstance(one, ast.Constant)]
    return (node.func.attr if isinstance(node.func, ast.Attribute) else ""), constants
