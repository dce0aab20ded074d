"""REST: who the bot is, and where the gateway is."""

from __future__ import annotations

from typing import Final

from . import payloads
from .call import Answer, Call, Refused, Routes
from .intents import application_flags
from .settings import Json


def _me(call: Call) -> Answer:
    return Answer(200, _private_user(call))


def _private_user(call: Call) -> Json:
    return {**payloads.user(call.site.me), "mfa_enabled": False, "locale": "en-US", "email": None, "verified": True}


def _user(call: Call) -> Answer:
    user = call.site.world.users.get(call.number("user_id"))
    if user is None:
        raise Refused(404, 10013, "Unknown User")
    return Answer(200, payloads.user(user))


def _application(call: Call) -> Answer:
    site = call.site
    flags = application_flags(site.settings.granted, verified=site.settings.verified)
    owner = next(iter(site.world.users.values()))
    return Answer(
        200,
        {
            "id": str(site.application),
            "name": site.me.name,
            "icon": None,
            "description": "",
            "type": None,
            "bot": payloads.user(site.me),
            "bot_public": True,
            "bot_require_code_grant": False,
            "verify_key": "0" * 64,
            "flags": flags,
            "flags_new": str(flags),
            "redirect_uris": [],
            "interactions_endpoint_url": None,
            "role_connections_verification_url": None,
            "owner": payloads.user(owner),
            "approximate_guild_count": sum(1 for _ in site.world.guilds_of(site.me)),
            "approximate_user_install_count": 0,
            "approximate_user_authorization_count": 0,
            "explicit_content_filter": 0,
            "team": None,
            "eligible_oauth2_scopes": [],
        },
    )


def _gateway(_: Call) -> Answer:
    return Answer(200, {"url": "wss://gateway.discord.gg"})


def _gateway_bot(call: Call) -> Answer:
    used = call.site.gateway.identifies
    limit = {"total": 1000, "remaining": max(0, 1000 - used), "reset_after": 86_400_000, "max_concurrency": 1}
    shards = call.site.settings.recommended_shards
    return Answer(200, {"url": "wss://gateway.discord.gg", "shards": shards, "session_start_limit": limit})


def _dm(call: Call) -> Answer:
    user = call.site.world.users.get(int(call.body["recipient_id"]))
    if user is None:
        raise Refused(400, 50033, "Invalid Recipient(s)")
    return Answer(200, payloads.channel(call.site.world.dm(user)))


ROUTES: Final[Routes] = {
    "GET /users/@me": _me,
    "GET /users/{user_id}": _user,
    "POST /users/@me/channels": _dm,
    "GET /oauth2/applications/@me": _application,
    "GET /gateway": _gateway,
    "GET /gateway/bot": _gateway_bot,
}
