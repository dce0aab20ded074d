"""REST: messages and reactions."""

from __future__ import annotations

from itertools import islice
from typing import Final

from . import drafts, payloads
from .call import Answer, Call, Refused, Routes
from .intents import Intent
from .message_payloads import without_content
from .permissions import Permission
from .settings import Json
from .world import Channel, Message, User

_HISTORY: Final = Permission.READ_MESSAGE_HISTORY


def _list(call: Call) -> Answer:
    """Newest first; `after` takes the oldest of what is newer."""
    silent = call.site.settings.hidden_history_is_empty
    channel = call.channel(*(() if silent else (_HISTORY,)))
    if not channel.holds_messages:
        raise Refused(400, 50024, "Cannot execute action on this channel type")
    if silent:
        try:
            call.channel(_HISTORY)
        except Refused:
            return Answer(200, [])
    limit = int(call.query.get("limit", 50))
    if "after" in call.query:
        page = list(islice((one for one in sorted(channel.messages) if one > int(call.query["after"])), limit))[::-1]
    else:
        before = int(call.query.get("before", 1 << 63))
        page = list(islice((one for one in sorted(channel.messages, reverse=True) if one < before), limit))
    return Answer(200, [_told(call, channel.messages[one]) for one in page])


def _told(call: Call, message: Message) -> Json:
    """As an application may read it."""
    told = call.site.talk.told(message)
    if call.site.settings.granted & Intent.MESSAGE_CONTENT:
        return told
    return without_content(told, message, call.site.me.id)


def _get(call: Call) -> Answer:
    return Answer(200, _told(call, call.message(call.channel(_HISTORY))))


def _create(call: Call) -> Answer:
    channel = call.channel()
    channel = call.channel(Permission.SEND_MESSAGES_IN_THREADS if channel.is_thread else Permission.SEND_MESSAGES)
    if channel.recipient is not None and not channel.recipient.accepts_dms:
        raise Refused(403, 50007, "Cannot send messages to this user")
    if call.files:
        call.channel(Permission.ATTACH_FILES)
    drafts.check(call.body, call.files)
    repeated = _repeated(call, channel)
    if repeated is not None:
        return Answer(200, _told(call, repeated))
    made = drafts.parts(call, channel, call.body)
    said = call.site.talk.post(channel, call.site.me, call.body.get("content") or "", **made)
    return Answer(200, call.site.talk.told(said))


def _repeated(call: Call, channel: Channel) -> Message | None:
    """With `enforce_nonce`: the message that this nonce already made."""
    if not call.body.get("enforce_nonce"):
        return None
    recent = islice(reversed(channel.messages.values()), 100)
    nonce = str(call.body.get("nonce"))
    return next((one for one in recent if one.author is call.site.me and str(one.nonce) == nonce), None)


def edited(call: Call, message: Message) -> Json:
    """Change a message of the bot's by a request's body."""
    changes: Json = {}
    if "content" in call.body:
        changes["content"] = call.body["content"] or ""
    for key, read in (("embeds", drafts.embeds), ("components", drafts.components)):
        if key in call.body:
            changes[key] = read(call.body[key])
    if "attachments" in call.body or call.files:
        described = call.body.get("attachments")
        changes["attachments"] = drafts.attachments(call, message.channel, described, message.attachments)
    call.site.talk.edit(message, **changes)
    return call.site.talk.told(message)


def _edit(call: Call) -> Answer:
    message = call.message(call.channel())
    if message.author is not call.site.me:
        raise Refused(403, 50005, "Cannot edit a message authored by another user")
    return Answer(200, edited(call, message))


def _delete(call: Call) -> Answer:
    channel = call.channel()
    message = call.message(channel)
    if message.author is not call.site.me:
        call.channel(Permission.MANAGE_MESSAGES)
    call.site.talk.delete(message, call.site.me)
    return Answer(204)


def _delete_many(call: Call) -> Answer:
    channel = call.channel(Permission.MANAGE_MESSAGES)
    found = [channel.messages[int(one)] for one in call.body["messages"] if int(one) in channel.messages]
    call.site.talk.delete_many(channel, found, call.site.me)
    return Answer(204)


def _typing(call: Call) -> Answer:
    call.channel(Permission.SEND_MESSAGES)
    return Answer(204)


# -- reactions --------------------------------------------------------------------------------------------------


def _reactions(call: Call) -> Answer:
    """Ascending by user id; `type` 1 asks for super reactions."""
    message = call.message(call.channel(_HISTORY))
    burst = call.query.get("type", "0") == "1"
    who = message.reactions.get(call.params["emoji_name"], {})
    after, limit = int(call.query.get("after", 0)), int(call.query.get("limit", 25))
    found = sorted(one for one, is_burst in who.items() if one > after and is_burst == burst)[:limit]
    return Answer(200, [payloads.user(call.site.world.users[one]) for one in found])


def _react(call: Call) -> Answer:
    channel = call.channel(_HISTORY)
    message = call.message(channel)
    if call.params["emoji_name"] not in message.reactions:
        call.channel(Permission.ADD_REACTIONS)
    call.site.talk.react(message, call.site.me, call.params["emoji_name"])
    return Answer(204)


def _unreact_own(call: Call) -> Answer:
    return _unreacted(call, call.site.me)


def _unreact(call: Call) -> Answer:
    call.channel(Permission.MANAGE_MESSAGES)
    user = call.site.world.users.get(call.number("user_id"))
    if user is None:
        raise Refused(404, 10013, "Unknown User")
    return _unreacted(call, user)


def _unreacted(call: Call, user: User) -> Answer:
    call.site.talk.unreact(call.message(call.channel()), user, call.params["emoji_name"])
    return Answer(204)


def _clear(call: Call) -> Answer:
    channel = call.channel(Permission.MANAGE_MESSAGES)
    call.site.talk.clear_reactions(call.message(channel), call.site.me, call.params.get("emoji_name"))
    return Answer(204)


_MESSAGES: Final = "/channels/{channel_id}/messages"
_REACTIONS: Final = _MESSAGES + "/{message_id}/reactions"

ROUTES: Final[Routes] = {
    f"GET {_MESSAGES}": _list,
    f"POST {_MESSAGES}": _create,
    f"POST {_MESSAGES}/bulk-delete": _delete_many,
    f"GET {_MESSAGES}/{{message_id}}": _get,
    f"PATCH {_MESSAGES}/{{message_id}}": _edit,
    f"DELETE {_MESSAGES}/{{message_id}}": _delete,
    "POST /channels/{channel_id}/typing": _typing,
    f"DELETE {_REACTIONS}": _clear,
    f"GET {_REACTIONS}/{{emoji_name}}": _reactions,
    f"DELETE {_REACTIONS}/{{emoji_name}}": _clear,
    f"PUT {_REACTIONS}/{{emoji_name}}/@me": _react,
    f"DELETE {_REACTIONS}/{{emoji_name}}/@me": _unreact_own,
    f"DELETE {_REACTIONS}/{{emoji_name}}/{{user_id}}": _unreact,
}
