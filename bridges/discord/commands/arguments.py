"""What is typed into the option `arguments` (`step=day title="The Thing"`), and what is suggested meanwhile."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Collection, Iterable
from typing import Any, Final

from userstats.contract.questions import Listed, Parameter

from .plain import Unclear, all_of, quoted
from .questions import parameter

LONGEST_CHOICE: Final = 100
"""Characters of a suggestion."""
_NAME: Final = re.compile(r"([A-Za-z_]\w*)\s*[=:]\s*")
_BETWEEN: Final = re.compile(r"[\s;]+")
_VALUE: Final = re.compile(r"[^\s;]+")
_DECODER: Final = json.JSONDecoder()
_YES: Final = frozenset(("yes", "true", "on", "1"))
_NO: Final = frozenset(("no", "false", "off", "0"))


def read(text: str, question: Listed) -> dict[str, Any]:
    """The parameters in a text. Raises Unclear where it is none, names an unknown one, or one twice."""
    found: dict[str, Any] = {}
    at = 0
    while at < len(text):
        if between := _BETWEEN.match(text, at):
            at = between.end()
            continue
        named = _NAME.match(text, at)
        if not named:
            raise Unclear(f"{quoted(text[at:])} is no argument; write it like {quoted('step=day')}")
        raw, at = _value(text, named.end())
        name = named.group(1).casefold()
        if name in found:
            raise Unclear(f"{quoted(name)} is said twice")
        found[name] = value(known(question, name), raw)
    return found


def known(question: Listed, name: str) -> Parameter:
    """The question's parameter of this name. Raises Unclear with what was probably meant."""
    found = parameter(question, name)
    if found:
        return found
    names = [one.name for one in question.parameters]
    close = difflib.get_close_matches(name, names, 1)
    meant = f"did you mean {quoted(close[0])}?" if close else f"it takes {all_of(names) or 'nothing'}"
    raise Unclear(f"{quoted(question.question)} takes no {quoted(name)}; {meant}")


def value(what: Parameter, raw: Any) -> Any:
    """A value as the parameter's kind wants it. Raises Unclear."""
    if what.choices:
        return _choice(what, str(raw))
    match what.kind:
        case "integer" | "number":
            return _number(what, raw)
        case "boolean":
            return _yes(what, raw)
        case "array":
            return [str(one) for one in raw] if isinstance(raw, list) else [one.strip() for one in str(raw).split(",")]
        case "json":
            return _json(what, raw) if isinstance(raw, str) else raw
    return raw if isinstance(raw, str) else json.dumps(raw, ensure_ascii=False)


def suggestions(text: str, question: Listed, covered: Collection[str] = ()) -> list[str]:
    """How the text may go on, whole: names of parameters, then the values of one. `covered`: by other options."""
    at = _last(text)
    head, tail = text[:at], text[at:]
    named = _NAME.match(tail)
    if named:
        what = parameter(question, named.group(1).casefold())
        begun = tail[named.end() :].casefold()
        offered: Iterable[str] = (
            f"{named.group(1)}={one}" for one in _values(what) if one.casefold().startswith(begun)
        )
        typed = [text] if begun else []
    else:
        offered = (
            f"{one.name}=" for one in sorted(question.parameters, key=lambda one: (not one.required, one.name))
            if one.name not in covered and f"{one.name}=" not in head and one.name.startswith(tail.casefold())
        )  # fmt: skip
        typed = []
    whole = [*typed, *(head + one for one in offered)]
    return [one for one in dict.fromkeys(whole) if one.strip() and len(one) <= LONGEST_CHOICE]


def _last(text: str) -> int:
    """Where the argument begins that is being typed."""
    at = 0
    while True:
        begin = between.end() if (between := _BETWEEN.match(text, at)) else at
        named = _NAME.match(text, begin)
        _, end = _value(text, named.end() if named else begin)
        if end >= len(text):
            return begin
        at = end


def _value(text: str, at: int) -> tuple[Any, int]:
    if text[at : at + 1] in {'"', "[", "{"}:
        try:
            return _DECODER.raw_decode(text, at)
        except (json.JSONDecodeError, RecursionError):
            closing = text.find(text[at], at + 1) if text[at] == '"' else -1
            return (text[at + 1 : closing], closing + 1) if closing > at else (text[at:].lstrip('"'), len(text))
    plain = _VALUE.match(text, at)
    return (plain.group(), plain.end()) if plain else ("", at)


def _values(what: Parameter | None) -> tuple[str, ...]:
    if what is None:
        return ()
    return what.choices or (("yes", "no") if what.kind == "boolean" else ())


def _choice(what: Parameter, raw: str) -> str:
    for choice in what.choices:
        if choice.casefold() == raw.casefold():
            return choice
    raise Unclear(f"{quoted(what.name)} cannot be {quoted(raw)}; it is one of {all_of(what.choices)}")


def _number(what: Parameter, raw: Any) -> int | float:
    try:
        return int(raw) if what.kind == "integer" else float(raw)
    except (ValueError, TypeError, OverflowError):
        raise Unclear(f"{quoted(what.name)} is a number, and {quoted(raw)} is none") from None


def _yes(what: Parameter, raw: Any) -> bool:
    said = str(raw).casefold()
    if said not in _YES | _NO:
        raise Unclear(f"{quoted(what.name)} is yes or no, and not {quoted(raw)}")
    return said in _YES


def _json(what: Parameter, raw: str) -> Any:
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        raise Unclear(f"{quoted(what.name)} is written as JSON, and {quoted(raw)} is none") from None
