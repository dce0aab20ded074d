"""What decides whether a value is valid, without the rest of the value.

Checking one message takes jsonschema milliseconds, and an evening has tens of thousands. But whether a document's
schemas accept a value depends on little of it: which keys there are, the types, for strings and numbers the outcome
of the few tests that a schema makes *at a field of that name* (one of these constants? longer than 100? digits?
a time?), for lists which different items there are and, where it is limited, how many. That is a value's shape.
Two values of the same shape get the same verdict from every schema of the document, so a verdict is needed once per
shape. This is exact, not a sample: a keyword that the scan below does not understand stops the loading.
"""

from __future__ import annotations

import bisect
import json
import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Final

import jsonschema

if TYPE_CHECKING:
    from .schemas import Document

_SAYS_NOTHING: Final = frozenset(
    {"title", "description", "deprecated", "default", "example", "examples", "contentEncoding", "x-discord-union"}
    | {"$schema", "required", "type"}
)
_MANY: Final = ("allOf", "anyOf", "oneOf")


class _Tests:
    """Everything any schema asks of a value in a field of one name."""

    def __init__(self) -> None:
        self.constants: set[tuple[type, object]] = set()
        self.lengths: set[int] = set()
        self.bounds: set[float] = set()
        self.counts: set[int] = set()
        self.matches: dict[str, Callable[[Any], bool]] = {}
        """Patterns and formats, by what they are."""
        self.unique = False
        self.ordered = False
        """Items are judged by their place."""
        self.mapped = False
        """Values under any key are judged: their tests are at the name with `.*`."""

    def settled(self) -> None:
        """To be called when the scan is over: thresholds in order, for bisection."""
        self.longer, self.above, self.more = sorted(self.lengths), sorted(self.bounds), sorted(self.counts)
        self.checks = tuple(self.matches.values())
        self.scalar = bool(self.constants or self.checks)


class Shapes:
    """The shapes of values in one document."""

    def __init__(self, document: Document, roots: Iterable[str], formats: jsonschema.FormatChecker) -> None:
        self._document = document
        self._formats = formats
        self._tests: dict[str, _Tests] = {}
        self._known: set[str] = set()
        self._seen: set[tuple[str, str]] = set()
        for root in roots:
            self._scan(root, "")
        del self._seen
        for tests in self._tests.values():
            tests.settled()
        self._none = _Tests()
        self._none.settled()

    def of(self, value: object, name: str = "") -> object:
        """The shape of a value in a field of that name; hashable."""
        kind = type(value)
        if value is None:
            return None
        tests = self._tests.get(name, self._none)
        if kind is dict:
            return self._object(value, name, tests)  # type: ignore[arg-type]
        if kind is list:
            return self._list(value, name, tests)  # type: ignore[arg-type]
        if kind is str:
            if not tests.scalar and not tests.longer:
                return str
            return (
                str,
                value if (str, value) in tests.constants else None,
                bisect.bisect(tests.longer, len(value)),  # type: ignore[arg-type]
                *[check(value) for check in tests.checks],
            )
        if kind is float and value.is_integer():  # type: ignore[attr-defined]
            value, kind = int(value), int  # type: ignore[call-overload]
        return self._number(value, kind, tests)

    def reduced(self, value: Any, name: str = "") -> Any:
        """A value of the same shape with as few items in its lists as that takes."""
        if type(value) is dict:
            return {key: self.reduced(item, key) for key, item in value.items()}
        if type(value) is not list:
            return value
        tests = self._tests.get(name, self._none)
        kept = list({self.of(item, name): item for item in value}.values())
        alike = bisect.bisect(tests.more, len(kept)) == bisect.bisect(tests.more, len(value))
        return [
            self.reduced(item, name) for item in (kept if alike and not tests.ordered and not tests.unique else value)
        ]

    def _number(self, value: Any, kind: type, tests: _Tests) -> object:
        if kind is bool:
            return (bool, value) if (bool, value) in tests.constants else bool
        if kind not in (int, float):
            return ("not JSON", kind.__name__)
        if not tests.scalar and not tests.above:
            return kind
        left, right = bisect.bisect_left(tests.above, value), bisect.bisect_right(tests.above, value)
        constant = value if (int, value) in tests.constants else None
        return (kind, constant, left, right, *[check(value) for check in tests.checks])

    def _list(self, value: list[Any], name: str, tests: _Tests) -> object:
        items = [self.of(item, name) for item in value]
        different: object = tuple(items) if tests.ordered else frozenset(items)
        if tests.more or tests.unique:
            alone = tests.unique and len({json.dumps(_plain(item), sort_keys=True) for item in value}) == len(value)
            return (list, different, bisect.bisect(tests.more, len(value)), alone)
        return (list, different)

    def _object(self, value: dict[str, Any], name: str, tests: _Tests) -> object:
        known, of = self._known, self.of
        count = bisect.bisect(tests.more, len(value)) if tests.more else 0
        if not tests.mapped:
            return (count, frozenset([(key, of(item, key)) for key, item in value.items()]))
        inside = _inside(name)
        return (
            count,
            frozenset(
                [
                    ("#" if key.isdecimal() and key not in known else key, of(item, key), of(item, inside))
                    for key, item in value.items()
                ]
            ),
        )

    def _scan(self, pointer: str, name: str) -> None:
        """Collect what the schema at a pointer asks of a value in a field of that name."""
        pointer = self._document.resolved(pointer)
        if (pointer, name) in self._seen:
            return
        self._seen.add((pointer, name))
        schema = self._document.at(pointer)
        tests = self._tests.setdefault(name, _Tests())
        for keyword, content in schema.items() if isinstance(schema, dict) else ():
            if keyword == "properties":
                for key in content:
                    self._known.add(key)
                    self._scan(f"{pointer}/properties/{_token(key)}", key)
            elif keyword in _MANY:
                for index in range(len(content)):
                    self._scan(f"{pointer}/{keyword}/{index}", name)
            elif keyword == "not":
                self._scan(f"{pointer}/not", name)
            elif keyword == "items":
                self._scan_items(pointer, content, name, tests)
            elif keyword == "additionalProperties":
                tests.mapped = tests.mapped or isinstance(content, dict)
                self._scan(f"{pointer}/additionalProperties", _inside(name))
            elif keyword not in _SAYS_NOTHING:
                self._test(keyword, content, tests)

    def _scan_items(self, pointer: str, content: object, name: str, tests: _Tests) -> None:
        if isinstance(content, list):
            tests.ordered = True
            tests.counts.add(len(content) + 1)
            for index in range(len(content)):
                self._scan(f"{pointer}/items/{index}", name)
        else:
            self._scan(f"{pointer}/items", name)

    def _test(self, keyword: str, content: Any, tests: _Tests) -> None:
        match keyword:
            case "enum" | "const":
                tests.constants.update(_constant(item) for item in (content if keyword == "enum" else [content]))
            case "maxLength":
                tests.lengths.add(content + 1)
            case "minLength":
                tests.lengths.add(content)
            case "maxItems" | "maxProperties":
                tests.counts.add(content + 1)
            case "minItems" | "minProperties":
                tests.counts.add(content)
            case "minimum" | "maximum":
                tests.bounds.add(content)
            case "uniqueItems":
                tests.unique = tests.unique or bool(content)
            case "pattern":
                found = re.compile(content).search
                tests.matches[f"pattern {content}"] = lambda value: type(value) is str and found(value) is not None
            case "format":
                conforms, known = self._formats.conforms, self._formats.checkers
                if content in known:
                    tests.matches[f"format {content}"] = lambda value: bool(conforms(value, content))
            case _:
                raise ValueError(f"shapes do not understand {keyword!r}: they would not be exact")


def _inside(name: str) -> str:
    """The name under which the tests of a map's values are kept; maps in maps share one."""
    return name if name.endswith(".*") else f"{name}.*"


def _constant(value: object) -> tuple[type, object]:
    if isinstance(value, dict | list):
        raise ValueError(f"shapes do not understand the constant {value!r}")
    return (int if type(value) is float else type(value), value)


def _plain(value: Any) -> Any:
    """A value in which 1.0 and 1 are the same, as they are in JSON Schema."""
    match value:
        case dict():
            return {key: _plain(item) for key, item in value.items()}
        case list():
            return [_plain(item) for item in value]
        case float() if value.is_integer():
            return int(value)
    return value


def _token(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")
