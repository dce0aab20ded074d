"""REST: callbacks of interactions, and the follow-ups that their tokens allow."""

from __future__ import annotations

from typing import Final

from . import drafts
from .call import Answer, Call, Refused, Routes, invalid
from .interactions import ASK, CHOICES, DEFER, DEFER_UPDATE, SAY, UPDATE, Interaction
from .rest_messages import edited
from .settings import Json
from .talk import EPHEMERAL, LOADING
from .world import Message

_MAX_CHOICES: Final = 25


def _callback(call: Call) -> Answer:
    interactions = call.site.interactions
    kind, body = call.body["type"], call.body.get("data") or {}
    one = interactions.acknowledge(call.number("interaction_id"), call.params["interaction_token"], kind)
    if kind == SAY:
        drafts.check(body, call.files)
        one.original = interactions.say(one, body.get("content") or "", drafts.parts(call, one.channel, body))
    elif kind == DEFER:
        one.original = interactions.defer(one, body.get("flags") or 0)
    elif kind in (DEFER_UPDATE, UPDATE):
        assert one.source is not None
        one.original = one.source
        if kind == UPDATE:
            edited(_with_body(call, body), one.source)
    elif kind == CHOICES:
        if len(body.get("choices") or ()) > _MAX_CHOICES:
            raise invalid("Must be 25 or fewer in length.", "choices")
        one.choices = body.get("choices") or []
    elif kind == ASK:
        one.modal = body
    one.callback = kind
    one.wake()
    if call.query.get("with_response", "").lower() not in ("1", "true"):
        return Answer(204)
    return Answer(200, _callback_answer(call, one))


def _with_body(call: Call, body: Json) -> Call:
    return Call(call.site, call.params, call.query, body, call.files, call.reason)


def _callback_answer(call: Call, one: Interaction) -> Json:
    told: Json = {"id": str(one.id), "type": one.kind, "channel_id": str(one.channel.id)}
    if one.channel.guild is not None:
        told["guild_id"] = str(one.channel.guild.id)
    answer: Json = {"interaction": told}
    if one.original is not None and one.callback in (SAY, DEFER, UPDATE, DEFER_UPDATE):
        told |= {
            "response_message_id": str(one.original.id),
            "response_message_loading": bool(one.original.flags & LOADING),
            "response_message_ephemeral": bool(one.original.flags & EPHEMERAL),
        }
    if one.original is not None and one.callback in (SAY, UPDATE):
        answer["resource"] = {"type": one.callback, "message": call.site.talk.told(one.original)}
    return answer


def _token(call: Call) -> Interaction:
    if call.number("webhook_id") != call.site.application:
        raise Refused(404, 10015, "Unknown Webhook")
    return call.site.interactions.by_token(call.params["webhook_token"])


def _follow_up(call: Call) -> Answer:
    """The first one fills a deferred reply."""
    one = _token(call)
    drafts.check(call.body, call.files)
    content, parts = call.body.get("content") or "", drafts.parts(call, one.channel, call.body)
    waiting = one.original is not None and one.original.flags & LOADING
    said = (
        call.site.interactions.fill(one, content, parts) if waiting else call.site.interactions.say(one, content, parts)
    )
    one.wake()
    return Answer(200, call.site.talk.told(said))


def _original(call: Call) -> tuple[Interaction, Message]:
    one = _token(call)
    if one.original is None or (one.original is not one.source and one.original not in one.messages):
        raise Refused(404, 10008, "Unknown Message")
    return one, one.original


def _named(call: Call) -> tuple[Interaction, Message]:
    one = _token(call)
    number = call.number("message_id")
    found = next((said for said in (*one.messages, one.source) if said is not None and said.id == number), None)
    if found is None:
        raise Refused(404, 10008, "Unknown Message")
    return one, found


def _get_original(call: Call) -> Answer:
    return Answer(200, call.site.talk.told(_original(call)[1]))


def _get_named(call: Call) -> Answer:
    return Answer(200, call.site.talk.told(_named(call)[1]))


def _edit(call: Call, one: Interaction, said: Message) -> Answer:
    if said.flags & LOADING:
        drafts.check(call.body, call.files)
        call.site.interactions.fill(one, call.body.get("content") or "", drafts.parts(call, one.channel, call.body))
        told = call.site.talk.told(said)
    else:
        told = edited(call, said)
    one.wake()
    return Answer(200, told)


def _edit_original(call: Call) -> Answer:
    return _edit(call, *_original(call))


def _edit_named(call: Call) -> Answer:
    return _edit(call, *_named(call))


def _delete(call: Call, one: Interaction, said: Message) -> Answer:
    call.site.talk.delete(said, call.site.me)
    one.messages = [each for each in one.messages if each is not said]
    one.wake()
    return Answer(204)


def _delete_original(call: Call) -> Answer:
    return _delete(call, *_original(call))


def _delete_named(call: Call) -> Answer:
    return _delete(call, *_named(call))


_WEBHOOK: Final = "/webhooks/{webhook_id}/{webhook_token}"

ROUTES: Final[Routes] = {
    "POST /interactions/{interaction_id}/{interaction_token}/callback": _callback,
    f"POST {_WEBHOOK}": _follow_up,
    f"GET {_WEBHOOK}/messages/@original": _get_original,
    f"PATCH {_WEBHOOK}/messages/@original": _edit_original,
    f"DELETE {_WEBHOOK}/messages/@original": _delete_original,
    f"GET {_WEBHOOK}/messages/{{message_id}}": _get_named,
    f"PATCH {_WEBHOOK}/messages/{{message_id}}": _edit_named,
    f"DELETE {_WEBHOOK}/messages/{{message_id}}": _delete_named,
}
