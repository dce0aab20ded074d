"""REST: channels and threads."""

from __future__ import annotations

from typing import Final

from . import payloads
from .arrival import seen_thread
from .call import Answer, Call, Refused, Routes
from .permissions import Permission
from .settings import Json
from .snowflake import stamp
from .world import Channel


def _get(call: Call) -> Answer:
    channel = call.channel()
    return Answer(200, seen_thread(channel, call.site.me) if channel.is_thread else payloads.channel(channel))


def _change(call: Call) -> Answer:
    """A channel's name and topic; a thread's name, and whether it is archived or locked."""
    channel = call.channel()
    if not channel.is_thread:
        call.channel(Permission.MANAGE_CHANNELS)
        changes = {key: call.body[key] for key in ("name", "topic") if key in call.body}
        call.site.building.change_channel(channel, **changes)
        return Answer(200, payloads.channel(channel))
    if channel.owner != call.site.me.id:
        call.channel(Permission.MANAGE_THREADS)
    if "archived" in call.body:
        call.site.threads.archive(channel, call.site.me, archived=call.body["archived"])
    changes = {key: call.body[key] for key in ("name", "locked") if key in call.body}
    if changes:
        call.site.threads.change(channel, **changes)
    return Answer(200, seen_thread(channel, call.site.me))


def _public(call: Call) -> Answer:
    return _archived(call, (10, 11))


def _private(call: Call) -> Answer:
    call.channel(Permission.MANAGE_THREADS)
    return _archived(call, (12,))


def _archived(call: Call, kinds: tuple[int, ...]) -> Answer:
    """By when they were archived, the newest first."""
    channel = call.channel(Permission.READ_MESSAGE_HISTORY)
    found = [one for one in _of(channel) if one.archived and one.kind in kinds]
    found.sort(key=lambda one: (one.archive_changed_at, one.id), reverse=True)
    if "before" in call.query:
        border = call.query["before"].replace(" ", "+").replace("Z", "+00:00")
        found = [one for one in found if stamp(one.archive_changed_at) < border]
    return _page(call, found)


def _joined(call: Call) -> Answer:
    """Archived private threads that the bot is in, by id, the newest first."""
    channel = call.channel(Permission.READ_MESSAGE_HISTORY)
    me = call.site.me.id
    found = [one for one in _of(channel) if one.archived and one.kind == 12 and me in one.thread_members]
    found.sort(key=lambda one: one.id, reverse=True)
    before = int(call.query.get("before", 1 << 63))
    return _page(call, [one for one in found if one.id < before])


def _of(channel: Channel) -> list[Channel]:
    assert channel.guild is not None
    return [one for one in channel.guild.threads.values() if one.parent is channel]


def _page(call: Call, found: list[Channel]) -> Answer:
    limit, me = int(call.query.get("limit", 50)), call.site.me.id
    page = found[:limit]
    members = [payloads.thread_member(one, me) for one in page if me in one.thread_members]
    threads: list[Json] = [payloads.thread(one) for one in page]
    return Answer(200, {"threads": threads, "members": members, "has_more": len(found) > limit})


def _join(call: Call) -> Answer:
    thread = call.channel()
    if not thread.is_thread or thread.archived:
        raise Refused(400, 50083, "Tried to perform an operation on an archived thread")
    call.site.threads.join(thread, call.site.me)
    return Answer(204)


def _leave(call: Call) -> Answer:
    call.site.threads.leave(call.channel(), call.site.me)
    return Answer(204)


def _members(call: Call) -> Answer:
    thread = call.channel()
    return Answer(200, [payloads.thread_member(thread, who) for who in thread.thread_members])


ROUTES: Final[Routes] = {
    "GET /channels/{channel_id}": _get,
    "PATCH /channels/{channel_id}": _change,
    "GET /channels/{channel_id}/threads/archived/public": _public,
    "GET /channels/{channel_id}/threads/archived/private": _private,
    "GET /channels/{channel_id}/users/@me/threads/archived/private": _joined,
    "GET /channels/{channel_id}/thread-members": _members,
    "PUT /channels/{channel_id}/thread-members/@me": _join,
    "DELETE /channels/{channel_id}/thread-members/@me": _leave,
}
