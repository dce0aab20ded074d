"""Whether what a bridge asks of Discord, and what the stand-in says as Discord, is what Discord documents.

    judge = Judge.load()                       # None where the documents are absent: skip the test
    judge.request("POST", "/channels/{channel_id}/messages", {"content": "hi"})        # [] or sentences
    judge.response("GET", "/users/@me", 200, body)
    judge.dispatch("MESSAGE_CREATE", data)
    judge.command_set([command.to_dict(tree) for command in tree.get_commands()])
    judge.unknown                              # fields the documents do not know, each once
    judge.notes                                # dispatches that only our own minimal rules could judge

Three layers: Discord's OpenAPI document and the gateway's schema (`schemas`), the rules that only the documentation's
prose has (`docs_rules`, `command_rules`, `dispatch_rules`), and a lint for unknown fields (`lint`). A verdict is kept
per shape of a value (`shapes`), so judging the next message like an earlier one costs about as much as decoding it.

What it does not see: paths and headers, files of a multipart body, whether ids exist, permissions, the order of
things. Answers that no document has (a 500 that a test injects) are violations: do not show them to the judge.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Self

from . import command_rules, dispatch_rules, docs_rules
from .lint import expected, unknown_fields
from .schemas import EVENTS, FOLDER, Document, Documents, Side, child, documents
from .sentences import sentence

_MOST: Final = 20
"""Sentences about one value."""


class Judge:
    """One test's judge. All of a process share the documents and the verdicts, each has its own findings."""

    def __init__(self, known: Documents) -> None:
        self._documents = known
        self.unknown: list[str] = []
        """`POST /channels/{channel_id}/messages request: embeds[].colour`, in the order found, each once."""
        self.notes: list[str] = []
        """What was judged by less than a schema that is not ours, each once."""

    @classmethod
    def load(cls, folder: Path = FOLDER) -> Self | None:
        """A judge, or None where Discord's documents are absent. They are read by the first call in a process."""
        known = documents(folder)
        return None if known is None else cls(known)

    def request(
        self,
        method: str,
        path_template: str,
        body: object,
        *,
        content_type: str = "application/json",
        query: Mapping[str, str] | None = None,
    ) -> list[str]:
        """What is wrong with a request. `body`: None without one, for multipart the decoded `payload_json`.

        `path_template` as the document spells it, `/channels/{channel_id}/messages`.
        """
        method, media = method.upper(), content_type.partition(";")[0].strip()
        where = f"{method} {path_template} request"
        document = self._documents.requests.document
        at = _operation(document, method, path_template)
        if at is None:
            return [f"Discord documents no such route: {method} {path_template}"]
        found = self._query(document, at, where, query or {})
        documented = document.at(at).get("requestBody", {})
        offered = documented.get("content", {})
        if media in offered and (body is not None or documented.get("required")):
            pointer = child(at, "requestBody", "content", media, "schema")
            found += self._check(self._documents.requests, pointer, where, body)
        elif body is not None or documented.get("required"):
            found.append(f"a body of {media}, documented are {sorted(offered) or 'none'}")
        multipart = media == "multipart/form-data"
        prose = docs_rules.request(method, path_template, body, multipart=multipart)
        return [*found, *prose]

    def response(self, method: str, path_template: str, status: int, body: object) -> list[str]:
        """What is wrong with an answer. `body` is None where there is none."""
        method = method.upper()
        where = f"{method} {path_template} response {status}"
        document = self._documents.responses.document
        at = _operation(document, method, path_template)
        if at is None:
            return [f"Discord documents no such route: {method} {path_template}"]
        documented = document.at(at)["responses"]
        key = next((key for key in (str(status), f"{status // 100}XX") if key in documented), None)
        if key is None:
            return [f"an undocumented status {status}, documented are {sorted(documented)}"]
        answer = document.resolved(child(at, "responses", key))
        content = document.at(answer).get("content")
        if content is None:
            return [] if body in (None, "", b"") else ["a body where none is documented"]
        if "application/json" not in content:
            return []
        return self._check(
            self._documents.responses, child(answer, "content", "application/json", "schema"), where, body
        )

    def dispatch(self, event: str, data: object) -> list[str]:
        """What is wrong with the `d` of a gateway dispatch."""
        side = self._documents.gateway
        if event not in side.document.at(EVENTS):
            return [f"no such dispatch is known, neither to the schema nor to our own rules: {event}"]
        if event in dispatch_rules.MINIMAL:
            _add(self.notes, [f"{event}: judged by our own minimal rules, the schema does not know it"])
        found = self._check(side, child(EVENTS, event), event, data)
        return [*found, *dispatch_rules.dispatch(event, data)]

    def command_set(self, commands: Sequence[object]) -> list[str]:
        """What is wrong with a set of commands, as one that replaces all global commands."""
        return self.request("PUT", command_rules.GLOBAL, list(commands))

    def _check(self, side: Side, pointer: str, where: str, value: Any) -> list[str]:
        shape = (pointer, side.shapes.of(value))
        fields = side.clean.get(shape)
        found: list[str] = []
        if fields is None:
            small = side.shapes.reduced(value)
            fields = unknown_fields(side.document, pointer, small)
            if side.document.valid(pointer, small):
                side.clean[shape] = fields
            else:
                errors = side.document.validator(pointer).iter_errors(value)
                found = _first(list(dict.fromkeys(sentence(error) for error in errors)))
        if fields:
            _add(self.unknown, (name for field in fields if not expected(name := f"{where}: {field}")))
        return found

    def _query(self, document: Document, at: str, where: str, query: Mapping[str, str]) -> list[str]:
        """What is wrong with a query string; unknown parameters are noted, not wrong."""
        found = []
        known: dict[str, tuple[str, dict[str, Any]]] = {}
        for index, parameter in enumerate(document.at(at).get("parameters", ())):
            if parameter["in"] == "query":
                known[parameter["name"]] = child(at, "parameters", index, "schema"), parameter
        for name, text in query.items():
            if name not in known:
                _add(self.unknown, [f"{where}: ?{name}"])
                continue
            pointer = known[name][0]
            errors = document.validator(pointer).iter_errors(_meaning(document, pointer, text))
            found += [f"?{name}: {sentence(error)}" for error in errors]
        missing = [name for name, (_, parameter) in known.items() if parameter.get("required") and name not in query]
        return [*found, *(f"?{name} is missing" for name in missing)]


def _operation(document: Document, method: str, path_template: str) -> str | None:
    paths = document.contents["paths"]
    if method.lower() not in paths.get(path_template, {}):
        return None
    return child("/paths", path_template, method.lower())


def _meaning(document: Document, pointer: str, text: str) -> Any:
    """The text of a query parameter as the type that its schema asks for."""
    match document.at(document.resolved(pointer)).get("type"):
        case "integer" if text.removeprefix("-").isdecimal():
            return int(text)
        case "boolean" if text.lower() in ("true", "false", "1", "0"):
            return text.lower() in ("true", "1")
        case "array":
            return text.split(",")
    return text


def _first(found: list[str]) -> list[str]:
    """The first few of what may be said of each of a thousand members."""
    more = len(found) - _MOST
    return found if more <= 0 else [*found[:_MOST], f"and {more} more"]


def _add(known: list[str], found: Iterable[str]) -> None:
    known.extend(item for item in dict.fromkeys(found) if item not in known)
