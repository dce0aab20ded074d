"""What Discord's documentation asks of requests in prose and its OpenAPI document does not express.

Checked against the developer documentation (message, component, interaction and application command pages). Where it
is silent and Discord's answers are known (codes like SELECT_COMPONENT_OPTION_VALUE_DUPLICATED), the rule says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import urlsplit

from . import command_rules
from .bodies import dicts, text, whole
from .component_rules import COMPONENTS_V2, message_components, modal_components

_EPHEMERAL: Final = 1 << 6
_SUPPRESS_EMBEDS, _SUPPRESS_NOTIFICATIONS, _VOICE_MESSAGE = 1 << 2, 1 << 12, 1 << 13
_MAY_BE_SENT: Final = _SUPPRESS_EMBEDS | _SUPPRESS_NOTIFICATIONS | _VOICE_MESSAGE | COMPONENTS_V2

_CHANNEL: Final = "/channels/{channel_id}/messages"
_WEBHOOK: Final = "/webhooks/{webhook_id}/{webhook_token}"
_CALLBACK: Final = "/interactions/{interaction_id}/{interaction_token}/callback"
_THREADS: Final = "/channels/{channel_id}/threads"
_EDITS: Final = (f"{_CHANNEL}/{{message_id}}", f"{_WEBHOOK}/messages/@original", f"{_WEBHOOK}/messages/{{message_id}}")
_WITH: Final = ("embeds", "sticker_ids", "components", "attachments", "poll", "shared_client_theme")


def request(method: str, path_template: str, body: object, *, multipart: bool) -> Iterator[str]:
    """The rules for the body of a route."""
    if path_template in command_rules.ROUTES:
        yield from command_rules.request(method, body)
        return
    if not isinstance(body, dict):
        return
    match method, path_template:
        case "POST", "/channels/{channel_id}/messages" | "/webhooks/{webhook_id}/{webhook_token}":
            yield from message(body, new=True, files=multipart)
        case "POST", "/channels/{channel_id}/threads" if isinstance(body.get("message"), dict):
            yield from message(body["message"], new=True, files=multipart)
        case "PATCH", path if path in _EDITS:
            yield from message(body, new=False, files=multipart)
        case "POST", "/interactions/{interaction_id}/{interaction_token}/callback":
            yield from _callback(body, files=multipart)


def _callback(body: dict[str, Any], *, files: bool) -> Iterator[str]:
    found = body.get("data")
    data: dict[str, Any] = found if isinstance(found, dict) else {}
    match body.get("type"):
        case 4 | 7 as kind:
            yield from message(data, new=kind == 4, files=files)
        case 5 if whole(data.get("flags")) & ~_EPHEMERAL:
            yield "a deferred reply may only be flagged ephemeral"
        case 8:
            yield from _autocomplete(data)
        case 9:
            yield from modal_components(data.get("components"))


def _autocomplete(data: dict[str, Any]) -> Iterator[str]:
    choices = dicts(data.get("choices"))
    if len(choices) > 25:
        yield f"{len(choices)} choices, at most 25 are allowed"
    for choice in choices:
        yield from command_rules.choice(choice)


def message(body: dict[str, Any], *, new: bool, files: bool) -> Iterator[str]:
    """The rules for a message, new or changed. `files`: some come beside the body."""
    content = text(body.get("content"))
    if len(content) > 2000:
        yield f"content: {len(content)} characters, at most 2000 are allowed"
    if new and not files and not _something(body, content):
        yield "an empty message"
    flags = whole(body.get("flags"))
    if new and flags & ~(_MAY_BE_SENT | _EPHEMERAL):
        yield f"flags: {flags & ~(_MAY_BE_SENT | _EPHEMERAL)} cannot be set"
    yield from _embeds(dicts(body.get("embeds")))
    yield from _mentions(body.get("allowed_mentions"))
    yield from message_components(body.get("components"), flags=flags)
    if flags & COMPONENTS_V2:
        together = [name for name in ("content", "embeds", "sticker_ids", "poll") if body.get(name)]
        yield from (f"{name}: not with components V2" for name in together)


def _something(body: dict[str, Any], content: str) -> bool:
    reference = body.get("message_reference")
    forward = isinstance(reference, dict) and reference.get("type") == 1
    return bool(content.strip()) or forward or any(body.get(name) for name in _WITH)


def _embeds(embeds: list[dict[str, Any]]) -> Iterator[str]:
    together = sum(len(part.strip()) for embed in embeds for part in _written(embed))
    if together > 6000:
        yield f"embeds: {together} characters in all of them, at most 6000 are allowed"
    for index, embed in enumerate(embeds):
        here = f"embeds[{index}]"
        if not any(part.strip() for part in _written(embed)) and not any(
            embed.get(it) for it in ("image", "thumbnail")
        ):
            yield f"{here}: an empty embed"
        for place, field in enumerate(dicts(embed.get("fields"))):
            for name in ("name", "value"):
                if not text(field.get(name)).strip():
                    yield f"{here}.fields[{place}].{name}: empty"
        for name, part in (("footer", "text"), ("author", "name")):
            inner = embed.get(name)
            if isinstance(inner, dict) and not text(inner.get(part)).strip():
                yield f"{here}.{name}.{part}: empty"
        yield from (f"{here}.{name}: only http, https{extra} are supported" for name, extra in _bad_links(embed))


def _written(embed: dict[str, Any]) -> Iterator[str]:
    """The parts of an embed that count towards the 6000 characters."""
    yield text(embed.get("title"))
    yield text(embed.get("description"))
    for field in dicts(embed.get("fields")):
        yield text(field.get("name"))
        yield text(field.get("value"))
    for name, part in (("footer", "text"), ("author", "name")):
        inner = embed.get(name)
        yield text(inner.get(part)) if isinstance(inner, dict) else ""


def _bad_links(embed: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name, part in (("image", "url"), ("thumbnail", "url"), ("author", "icon_url"), ("footer", "icon_url")):
        inner = embed.get(name)
        link = text(inner.get(part)) if isinstance(inner, dict) else ""
        if link and urlsplit(link).scheme not in ("http", "https", "attachment"):
            yield f"{name}.{part}", " and attachment"
    if embed.get("url") and urlsplit(text(embed["url"])).scheme not in ("http", "https"):
        yield "url", ""


def _mentions(allowed: object) -> Iterator[str]:
    if not isinstance(allowed, dict):
        return
    parse = allowed.get("parse") or []
    for kind in ("users", "roles"):
        if kind in parse and allowed.get(kind):
            yield f"allowed_mentions: {kind!r} both in parse and as a list"
