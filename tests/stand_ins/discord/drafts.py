"""What a bot wants to say, from the body of its request."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Final

from .call import Call, File, Refused, invalid
from .settings import Json
from .talk import Parts
from .world import Channel, Message

_EMPTY: Final = ("content", "embeds", "sticker_ids", "components", "poll")
_EMBED_KEYS: Final = (
    *("title", "description", "url", "timestamp", "color", "fields", "author", "footer", "image", "thumbnail"),
    *("provider", "video"),
)
_MAX_CONTENT: Final = 2000


def check(body: Json, files: Sequence[File]) -> None:
    """Refuse what has nothing in it or too much. Everything else is the judge's."""
    if is_empty(body, files):
        raise Refused(400, 50006, "Cannot send an empty message")
    if len(body.get("content") or "") > _MAX_CONTENT:
        raise invalid("Must be 2000 or fewer in length.", "content")


def is_empty(body: Json, files: Sequence[File]) -> bool:
    """Nothing that could be shown."""
    return not files and not any(body.get(key) for key in _EMPTY)


def parts(call: Call, channel: Channel, body: Json) -> Parts:
    """Everything of a new message but its text."""
    made: Parts = {
        "flags": body.get("flags") or 0,
        "embeds": embeds(body.get("embeds")),
        "components": components(body.get("components")),
        "attachments": attachments(call, channel, body.get("attachments")),
        "allowed": body.get("allowed_mentions"),
        "nonce": body.get("nonce"),
    }
    reference = body.get("message_reference")
    if reference:
        made |= _reply(channel, int(reference["message_id"]), must_exist=reference.get("fail_if_not_exists", True))
    if body.get("poll"):
        made["poll"] = poll(body["poll"])
    return made


def _reply(channel: Channel, number: int, *, must_exist: bool) -> Parts:
    original = channel.messages.get(number)
    if original is None:
        if must_exist:
            raise invalid("Unknown message", "message_reference")
        return {}
    return {"kind": 19, "replies_to": original, "reference": reference_to(original)}


def reference_to(message: Message) -> Json:
    """A `message_reference` of a reply."""
    guild = message.channel.guild
    where = {"type": 0, "channel_id": str(message.channel.id), "message_id": str(message.id)}
    return where if guild is None else where | {"guild_id": str(guild.id)}


def embeds(given: Json) -> list[Json]:
    """As they are shown."""
    return [{"type": "rich"} | {k: v for k, v in one.items() if k in _EMBED_KEYS} for one in given or ()]


def components(given: Json) -> list[Json]:
    """As they are shown: numbered through the whole message, with what may be left out."""
    taken = {one["id"] for one in nested(given or []) if one.get("id")}
    numbers = (number for number in itertools.count(1) if number not in taken)
    return [_component(one, numbers) for one in given or ()]


def nested(given: list[Json]) -> Iterator[Json]:
    """All components, those inside others too."""
    for one in given:
        yield one
        yield from nested(one.get("components", []))
        yield from nested([one[key] for key in ("component", "accessory") if key in one])


def _component(given: Json, numbers: Iterator[int]) -> Json:
    shown = {key: value for key, value in given.items() if value is not None}
    shown["id"] = given.get("id") or next(numbers)
    if shown["type"] in (3, 5, 6, 7, 8):
        shown = {"min_values": 1, "max_values": 1} | {k: v for k, v in shown.items() if k != "required"}
    if "components" in shown:
        shown["components"] = [_component(one, numbers) for one in shown["components"]]
    if "accessory" in shown:
        shown["accessory"] = _component(shown["accessory"], numbers)
    return shown


def attachments(call: Call, channel: Channel, described: Json, before: Sequence[Json] = ()) -> list[Json]:
    """Uploaded files, after those of `before` that are kept."""
    said = {str(one["id"]): one for one in described or ()}
    kept = [one for one in before if described is None or one["id"] in said]
    return kept + [_uploaded(call, channel, file, said) for file in call.files if file.field.startswith("files[")]


def _uploaded(call: Call, channel: Channel, file: File, said: Json) -> Json:
    number = call.site.world.ids.new()
    about = said.get(file.field[6:-1], {})
    name = about.get("filename") or file.name
    call.site.uploads[number] = file.data
    url = f"https://cdn.discordapp.com/attachments/{channel.id}/{number}/{name}"
    shown = {"id": str(number), "filename": name, "size": len(file.data), "url": url, "proxy_url": url}
    shown["content_type"] = file.content_type
    return shown | ({"description": about["description"]} if about.get("description") else {})


def poll(given: Json) -> Json:
    """A poll nobody voted in yet."""
    answers = [
        {"answer_id": number, "poll_media": one["poll_media"]} for number, one in enumerate(given["answers"], start=1)
    ]
    return {
        "question": given["question"],
        "answers": answers,
        "expiry": "2100-01-01T00:00:00+00:00",
        "allow_multiselect": given.get("allow_multiselect", False),
        "layout_type": 1,
        "results": {"answer_counts": [], "is_finalized": False},
    }
