"""Components of messages and modals: what the documentation asks for beyond their schemas."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

from .bodies import dicts

COMPONENTS_V2: Final = 1 << 15
_ROW, _BUTTON, _STRING_SELECT, _TEXT_INPUT, _TEXT_DISPLAY, _LABEL = 1, 2, 3, 4, 10, 18
_SELECTS: Final = (3, 5, 6, 7, 8)
_LINK, _PREMIUM = 5, 6


def message_components(components: object, *, flags: int) -> Iterator[str]:
    """Rules for the `components` of a message."""
    top = dicts(components)
    inside = list(_every(top))
    if flags & COMPONENTS_V2:
        if len(inside) > 40:
            yield f"components: {len(inside)} in all, at most 40 are allowed"
        shown = sum(len(str(part.get("content", ""))) for part in inside if part.get("type") == _TEXT_DISPLAY)
        if shown > 4000:
            yield f"components: {shown} characters of text, at most 4000 are allowed"
    else:
        if len(top) > 5:
            yield f"components: {len(top)} rows, at most 5 are allowed"
        if any(part.get("type") != _ROW for part in top):
            yield "components: outside of rows they need the flag IS_COMPONENTS_V2"
    yield from _unique(inside)
    for part in inside:
        yield from _row(part)
        yield from _button(part)
        yield from _select(part)


def modal_components(components: object) -> Iterator[str]:
    """Rules for the `components` of a modal."""
    top = dicts(components)
    inside = list(_every(top))
    if len(top) > 5:
        yield f"components: {len(top)} in a modal, at most 5 are allowed"
    yield from _unique(inside)
    for part in top:
        if part.get("type") == _ROW:
            inputs = dicts(part.get("components"))
            if len(inputs) > 1:
                yield "components: a row of a modal holds one text input"
            if any(not field.get("label") for field in inputs):
                yield "components: a text input in a row has a label"
    for part in inside:
        low, high = part.get("min_length"), part.get("max_length")
        if isinstance(low, int) and isinstance(high, int) and low > high:
            yield "components: min_length is more than max_length"
        if part.get("disabled"):
            yield "components: nothing in a modal can be disabled"
        yield from _select(part)


def _every(components: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for part in components:
        yield part
        yield from _every(dicts(part.get("components")))
        yield from _every(dicts([part.get("component"), part.get("accessory")]))


def _unique(inside: list[dict[str, Any]]) -> Iterator[str]:
    for name in ("custom_id", "id"):
        given = Counter(part[name] for part in inside if isinstance(part.get(name), str | int) and part[name])
        yield from (
            f"components: {name} {value!r} is used {count} times" for value, count in given.items() if count > 1
        )


def _row(part: dict[str, Any]) -> Iterator[str]:
    if part.get("type") != _ROW:
        return
    kinds = [inner.get("type") for inner in dicts(part.get("components"))]
    selects = sum(kind in _SELECTS for kind in kinds)
    if selects > 1 or (selects and len(kinds) > 1):
        yield "components: a row holds up to five buttons or one select"


def _button(part: dict[str, Any]) -> Iterator[str]:
    if part.get("type") != _BUTTON:
        return
    style = part.get("style")
    needed = "url" if style == _LINK else "sku_id" if style == _PREMIUM else "custom_id"
    if not part.get(needed):
        yield f"components: a button of style {style} needs {needed}"
    for other in ("url", "sku_id", "custom_id"):
        if other != needed and part.get(other):
            yield f"components: a button of style {style} has no {other}"
    if style == _PREMIUM and (part.get("label") or part.get("emoji")):
        yield "components: a premium button has neither label nor emoji"
    if style != _PREMIUM and not part.get("label") and not part.get("emoji"):
        yield "components: a button needs a label or an emoji"


def _select(part: dict[str, Any]) -> Iterator[str]:
    if part.get("type") not in _SELECTS:
        return
    low, high = part.get("min_values"), part.get("max_values")
    low, high = 1 if low is None else low, 1 if high is None else high
    if not isinstance(low, int) or not isinstance(high, int):
        return
    if low > high:
        yield "components: min_values is more than max_values"
    if part.get("type") != _STRING_SELECT:
        return
    options = dicts(part.get("options"))
    values = Counter(str(option.get("value")) for option in options)
    if any(count > 1 for count in values.values()):
        yield "components: two options of a select have the same value"
    if high > len(options):
        yield f"components: max_values is {high} and there are {len(options)} options"
    if sum(bool(option.get("default")) for option in options) > high:
        yield "components: more defaults than max_values"
