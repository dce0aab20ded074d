"""docs/QUERY_ENDPOINTS.md: every question there is, with what it takes, what it answers and how it is asked."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec
from msgspec import inspect as kinds

from scripts import reference_kryten
from scripts.configuration import attribute_texts
from scripts.reference_words import code, default, fields, page, paragraph, said, structs_in, table, type_of
from userstats import catalogue
from userstats.answer import Asked
from userstats.contract import questions, subjects
from userstats.surfaces.cli.parameters import Parameter, meaning, parameters

_ASKERS: Final = {
    "everyone": "everybody",
    "self": "the person it is about, for whom a bridge asks with the header `Userstats-For: discord:<id>`, and staff",
    "staff": "staff: bridges and Kryten's world, which is whoever can reach the broker's port without a key",
    "bridge": "bridges, which know who speaks to them",
    "operator": "the operator: whoever has the key of the role `client`, or the HTTP token",
}
_SAMPLES: Final[Mapping[str, Any]] = {
    "username": "alice", "alias": "al", "channel": "420grindhouse", "phrase": "bravo", "prefix": "al",
    "batch": "5f0ef4448012499ff23f1d18a6429414", "limit": 10,
}  # fmt: skip
"""Values for examples, by parameter."""
_NONE: Final = re.compile(r"\bNone\b")

_OPENING: Final = f"""
A question is asked with a JSON object of parameters (at most {questions.LARGEST_REQUEST:,} bytes; where there are none,
`{{}}`) and answered with a JSON object. There are four ways, all answered by the same code:

| Way | Example |
| --- | --- |
| NATS, our subjects | `nats request {subjects.question("system.stats")} '{{}}'` |
| NATS, [Kryten's](#krytens-dialects) | `nats request {subjects.KRYTEN_COMMAND} '{{"command":"system.stats"}}'` |
| Command line | `python query_cli.py system stats --json` |
| HTTP | `curl http://localhost:28282/api/system/stats` (what changes something: `POST`, with a JSON body) |

With the embedded broker whoever has no key is in Kryten's world, and is answered as staff. What is answered to the
operator only needs the key of the role `client`: `nats --nkey data/broker/keys/client.nk request ...`. With that key
`nats micro info {subjects.SERVICE}` shows each question with the JSON Schemas of its request and its answer.
"""
_REFUSALS: Final = f"""
A question that is not answered has `"success": false` and an `error` with `code`, `message` and `details`; over NATS
the headers `{questions.HEADER_CODE}` and `{questions.HEADER_TEXT}` say the same. Codes: 400 a parameter is wrong (the
message names it), 403 who asks may not, 404 nobody or nothing is called so (`details` has what was probably meant), 409
it cannot be done now or the name is several people's, 429 too many at once, 500 a fault of ours (the log has more), 503
the stream does not take it, 504 it took too long. Answers have at most {questions.LARGEST_REPLY:,} bytes.
"""


def text() -> str:
    """The page."""
    asked = {name: Asked(question) for name, question in catalogue.read().questions.items()}
    nouns: dict[str, list[str]] = {}
    for name in asked:
        nouns.setdefault(name.partition(".")[0], []).append(name)
    return page(
        "Query endpoints",
        _OPENING,
        "## Answers",
        _struct(questions.Reply, named=False),
        _struct(questions.PeriodText),
        _struct(questions.Coverage),
        _REFUSALS,
        "## Who may ask",
        table(("Audience", "Answered to"), ((code(name), said) for name, said in _ASKERS.items())),
        "## All questions",
        table(
            ("Question", "What it answers", "Audience"),
            ((f"[{code(name)}](#{_anchor(name)})", _help(one), one.question.audience) for name, one in asked.items()),
        ),
        *(part for noun, names in nouns.items() for part in (f"## {noun}", *(_question(asked[one]) for one in names))),
        *reference_kryten.parts(),
    )


def example(asked: Asked) -> dict[str, Any]:
    """A request that the question's schema allows."""
    noun = asked.question.name.partition(".")[0]
    properties = asked.definition["properties"]
    wanted = [*asked.definition["required"], *(name for name in (noun, "limit") if name in properties)]
    return {name: _SAMPLES[name] if name in _SAMPLES else _sample(properties[name], asked.schema) for name in wanted}


def command_line(asked: Asked) -> list[str]:
    """The same as words of the command line."""
    noun, _, verb = asked.question.name.partition(".")
    own = {one.name: one for one in parameters(asked, noun)}
    return [noun, verb, *(word for name, value in example(asked).items() for word in _words(own[name], value))]


def _words(parameter: Parameter, value: Any) -> list[str]:
    word = json.dumps(value) if parameter.kind == "json" else str(value)
    return [word] if parameter.positional else [parameter.option, word]


def _question(asked: Asked) -> str:
    question = asked.question
    return "\n\n".join(
        (
            f"### {code(question.name)}",
            paragraph(question.answer.__doc__),
            "\n".join(_facts(asked)),
            _parameters(asked),
            _answer(asked),
            "```console\n" + "\n".join(_console(asked)) + "\n```",
        )
    )


def _facts(asked: Asked) -> Iterator[str]:
    question = asked.question
    yield f"- Subject: {code(subjects.question(question.name))}"
    yield f"- Answered to: {question.audience}"
    if question.changes:
        yield "- Changes something; the answer comes when the change is counted."
    if asked.has_period:
        period = "all time" if question.period == "all" else f"the last {question.period}"
        yield f"- Without a period: {period}"


def _parameters(asked: Asked) -> str:
    taken = fields(asked.request)
    if not taken:
        return "It takes no parameters."
    schemas = asked.definition["properties"]
    rows = [
        (code(name), said_of(type_of(field)), default(field) or "required", meaning(name, schemas[name]))
        for name, field in taken.items()
    ]
    structs = dict.fromkeys(one for field in taken.values() for one in _below(type_of(field)))
    return "\n\n".join([table(("Parameter", "Type", "Default", "Meaning"), rows), *map(_struct, structs)])


def _answer(asked: Asked) -> str:
    kind = kinds.type_info(asked.result)
    structs = list(dict.fromkeys(_below(kind)))
    head = f"`data`: {said_of(kind)}."
    return "\n\n".join([head, *(_struct(one) for one in structs)])


def _struct(kind: type[msgspec.Struct], *, named: bool = True) -> str:
    """A struct of answers: what it is, and its fields."""
    below = attribute_texts(kind)
    rows = [
        (code(name), said_of(type_of(field)), _NONE.sub("`null`", below.get(field.name, "")))
        for name, field in fields(kind).items()
    ]
    if tag := kind.__struct_config__.tag:
        rows.insert(0, (code(str(kind.__struct_config__.tag_field)), code(json.dumps(tag)), ""))
    about = f"**{code(kind.__name__)}**: {paragraph(kind.__doc__)}" if named else paragraph(kind.__doc__)
    return f"{about}\n\n{table(('Field', 'Type', 'Meaning'), rows)}"


def _console(asked: Asked) -> Iterator[str]:
    body = json.dumps(example(asked), separators=(",", ":"), ensure_ascii=False)
    yield f"$ nats request {subjects.question(asked.question.name)} {shlex.quote(body)}"
    yield f"$ python query_cli.py {shlex.join(command_line(asked))}"


def _below(kind: kinds.Type) -> Iterator[type[msgspec.Struct]]:
    """The structs in a type, and those in their fields."""
    for struct in structs_in(kind.value_type if isinstance(kind, kinds.DictType) else kind):
        yield struct
        for field in fields(struct).values():
            yield from _below(type_of(field))


def said_of(kind: kinds.Type) -> str:
    """What values a type has, in words; objects without a struct included."""
    match kind:
        case kinds.DictType():
            return f"object: {said_of(kind.value_type)} by {said_of(kind.key_type)}"
        case kinds.TupleType():
            return f"list of exactly: {', '.join(map(said_of, kind.item_types))}"
        case kinds.VarTupleType() | kinds.ListType():
            return f"list: {said_of(kind.item_type)}"
        case kinds.UnionType():
            return " or ".join(map(said_of, kind.types))
        case kinds.AnyType():
            return "anything"
        case _:
            return said(kind)


def _sample(schema: Mapping[str, Any], whole: Mapping[str, Any]) -> Any:
    """Some value that a schema allows; `whole` has its definitions."""
    if "$ref" in schema:
        schema = whole["$defs"][schema["$ref"].rpartition("/")[2]]
    options = schema.get("anyOf") or [schema]
    first = options[0]
    if first is not schema:
        return _sample(first, whole)
    if "const" in schema or "enum" in schema:
        return schema.get("const", schema.get("enum", [None])[0])
    match schema.get("type"):
        case "object":
            return {name: _sample(schema["properties"][name], whole) for name in schema.get("required", ())}
        case "array":
            return [_sample(schema["items"], whole)] * max(1, schema.get("minItems", 0))
        case "integer":
            return schema.get("minimum", 1)
        case _:
            return "text"


def _help(asked: Asked) -> str:
    return asked.question.help


def _anchor(name: str) -> str:
    """As GitHub makes one of a heading."""
    return name.replace(".", "")
