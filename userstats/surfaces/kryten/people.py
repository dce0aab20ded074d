"""The commands about people: what they did, and their aliases."""

from __future__ import annotations

import asyncio
from typing import Any

from . import shapes
from .inquiry import MOST, Inquiry


async def user_stats(ask: Inquiry) -> dict[str, Any]:
    return await _card(ask, nested=False)


async def user_profile(ask: Inquiry) -> dict[str, Any]:
    return await _card(ask, nested=True)


async def _card(ask: Inquiry, *, nested: bool) -> dict[str, Any]:
    """Everything about one person; the peer's profile has thanks in an object, and activity always under one name."""
    username = ask.text("username")
    card, used = await _user(ask, username)
    stays = card.channels if card else []
    here = _here(ask, stays)
    plusplus = card.kudos_plusplus if card else 0
    phrases = shapes.phrases(card.kudos_phrases if card else ())
    kudos = {"kudos": {"plusplus": plusplus, "phrases": phrases}} if nested else {
        "kudos_plusplus": plusplus, "kudos_phrases": phrases,
    }  # fmt: skip
    return {
        "username": username,
        "messages": here.messages if here else 0,
        "all_messages": shapes.by_channel(stays, ask.names),
        "pms": card.private_messages if card else 0,
        **kudos,
        "emotes": shapes.emotes(used),
        **_activity(ask, stays, "activity", "activity" if nested else "all_activity"),
    }


async def user_messages(ask: Inquiry) -> dict[str, Any]:
    username = ask.text("username")
    stays = await ask.known("user.messages", [], username=username, **ask.everywhere)
    if not ask.channel:
        return {"username": username, "channels": shapes.by_channel(stays, ask.names)}
    here = _here(ask, stays)
    return {"username": username, "channel": ask.name, "message_count": here.messages if here else 0}


async def user_activity(ask: Inquiry) -> dict[str, Any]:
    username = ask.text("username")
    stays = await ask.known("user.activity", [], username=username, **ask.everywhere)
    about = {"username": username, **({"channel": ask.name} if ask.channel else {})}
    return {**about, **_activity(ask, stays, "activity", "all_activity")}


async def user_kudos(ask: Inquiry) -> dict[str, Any]:
    username = ask.text("username")
    kudos = await ask.known("user.kudos", None, username=username, **ask.everywhere)
    return {
        "username": username,
        "plusplus": kudos.plusplus if kudos else 0,
        "phrases": shapes.phrases(kudos.phrases if kudos else ()),
    }


async def _user(ask: Inquiry, username: str) -> tuple[Any, list[Any]]:
    """The card of a person (None: nobody is called so) and all emotes they used."""
    card, used = await asyncio.gather(
        ask.known("user.stats", None, username=username, **ask.everywhere),
        ask.known("user.emotes", [], username=username, limit=MOST, **ask.everywhere),
    )
    return card, used


def _here(ask: Inquiry, stays: list[Any]) -> Any:
    """Of what somebody did in each channel that of the channel asked about, or None."""
    return next((stay for stay in stays if stay.channel == ask.channel.casefold()), None)


def _activity(ask: Inquiry, stays: list[Any], one: str, every: str) -> dict[str, Any]:
    if not ask.channel:
        return {every: shapes.activity_by_channel(stays, ask.names)}
    here = _here(ask, stays)
    return {one: shapes.activity(here) if here and here.total_ms else None}


async def alias_list(ask: Inquiry) -> dict[str, Any]:
    return shapes.aliases(await ask.ask("alias.list"))


async def alias_get(ask: Inquiry) -> dict[str, Any]:
    username = ask.text("username")
    found = shapes.lowered((await ask.ask("alias.get", username=username)).aliases)
    return {"username": username, "aliases": found, "count": len(found)}


async def alias_find(ask: Inquiry) -> dict[str, Any]:
    alias = ask.text("alias")
    owner = await _owner(ask, alias)
    return {"alias": alias, "username": owner, "found": owner is not None}


async def alias_resolve(ask: Inquiry) -> dict[str, Any]:
    """Not a command of the peer, but one that other services of Kryten's plan to ask."""
    username = ask.text("username")
    owner = await _owner(ask, username)
    return {"username": username, "canonical": owner or username, "is_alias": owner is not None}


async def alias_add(ask: Inquiry) -> dict[str, Any]:
    username, alias = ask.text("username"), ask.text("alias")
    done = await ask.ask("alias.add", username=username, alias=alias)
    return {"username": username, "alias": alias, "added": done.changed, "message": done.message}


async def alias_delete(ask: Inquiry) -> dict[str, Any]:
    username, alias = ask.text("username"), ask.text("alias")
    told = {"username": username, "alias": alias}
    owner = await _owner(ask, alias)
    if owner is None or owner.casefold() != username.casefold():
        return {**told, "deleted": False, "message": f"Alias '{alias}' not found"}
    done = await ask.ask("alias.remove", alias=alias)
    return {**told, "deleted": done.changed, "message": done.message}


async def alias_update(ask: Inquiry) -> dict[str, Any]:
    old, new = ask.text("old_alias"), ask.text("new_alias")
    told = {"old_alias": old, "new_alias": new}
    owner = await _owner(ask, old)
    if owner is None:
        return {**told, "updated": False, "message": f"Alias '{old}' not found"}
    added = await ask.ask("alias.add", username=owner, alias=new)
    if not added.changed:
        return {**told, "updated": False, "message": added.message}
    await ask.ask("alias.remove", alias=old)
    return {**told, "updated": True, "message": f"Updated alias '{old}' to '{new}' for user '{owner}'"}


async def _owner(ask: Inquiry, alias: str) -> str | None:
    found: str | None = (await ask.ask("alias.find", alias=alias)).username
    return found
