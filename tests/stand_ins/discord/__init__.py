"""A stand-in Discord: REST v10 and gateway v10 over real sockets with TLS, invented people, nothing patched.

    async with StandIn() as site:
        cinema = site.guild("cinema")                      # the bot is in it; owner: site.owner
        general = site.channel(cinema, "general")          # text, voice, stage, forum, announcement, media, category
        lounge = site.channel(cinema, "lounge", "voice")
        mods = site.role(cinema, "mods", permissions=Permission.MANAGE_MESSAGES)
        amy, bob = site.user("amy"), site.user("bob")
        site.enrol(cinema, amy, bob)                       # members since long ago, nobody is told

        client = discord.Client(intents=..., connector=site.connector())       # in this process; or, in another one,
        environment | site.environment, proxy=site.proxy.url                   # through the CONNECT proxy; or plain:
        site.api_base, site.gateway_base
        await client.start(site.token);  await site.connected()

        hi = await amy.say(general, f"hi {bob.mention}", files=["a.png"], reply_to=other)
        await bob.react(hi, "👍");  await bob.unreact(hi, "👍");  await amy.edit(hi, "hello");  await amy.delete(hi)
        await amy.join_voice(lounge, self_mute=True);  await amy.change_voice(stream=True);  await amy.leave_voice()
        await amy.presence("idle", activities.playing("Chess"), clients={"mobile": "idle"})
        await amy.join(guild); amy.leave(guild); amy.nick(guild, "Ames"); amy.rename(name=...); mod.kick(guild, amy)
        thread = await amy.thread(general, "plans", message=hi);  await amy.say(thread, "so");  amy.archive(thread)
        await amy.dm("psst");  site.webhook(general, "feed", "news");  site.automod_alert(general, amy, "rude")

        reply = await amy.slash(general, "stats", question="kudos", who=bob)   # "stats top" for a subcommand
        first = await reply.message();  more = await reply.message(1);  reply.ephemeral;  await reply.edited()
        offers = await amy.autocomplete(general, "stats", "question", "kud")
        pressed = await amy.press(first, "next");  await pressed.changed()     # the button's message was edited
        chosen = await amy.choose(first, "menu", "value");  done = await amy.submit(pressed, {"field": "text"})

        with site.burst(): ...                             # all of it in one write to each connection
        site.faults.reconnect(); .invalidate(); .close(4000); .abort(); .silence(); .speak(); .withhold_acks()
        site.faults.lose_sessions(); .refuse_connections(); .dispatch("MESSAGE_CREATE", {"broken": True})
        site.faults.fail("GET /users/@me", 502, times=2);  site.limit("GET /channels/{channel_id}/messages", 5, 1.0)
        site.building.outage(cinema);  site.building.outage_over(cinema);  await site.restart(down=1)
        site.history(general, [(ms, amy, "before the bot came"), ...])

        site.record.of("message", who=amy.id)              # the oracle: what really happened, with times
        site.rest.of("POST /channels/{channel_id}/messages");  site.gateway.dispatched["MESSAGE_CREATE"]
        assert site.violations == [] and site.unknown == []

What actors cannot do is `Impossible`. Time: `StandIn(Settings(clock=HandClock(ms)))`, `clock.advance(minutes=5)`;
spans (acknowledging within 3 s, rate limits, heartbeats) are always of real time. As a process:
`python -m tests.stand_ins.discord --help`.

What the real service does and this does not: invites, scheduled events, audit logs, message search, pins, stage
instances, voice connections, user-installed apps, context menu commands, ETF. Assumptions where nothing says how it
is: voice states of channels that the bot may not see are dispatched; all channels are listed in GUILD_CREATE.
"""

from . import activities
from .actor import Actor
from .commands import Impossible
from .intents import Intent
from .permissions import Permission
from .record import Deed, Record
from .reply import Reply, Unanswered
from .settings import HandClock, Settings
from .site import StandIn
from .world import Channel, Guild, Message, Overwrite, Role, User

__all__ = [
    "Actor",
    "Channel",
    "Deed",
    "Guild",
    "HandClock",
    "Impossible",
    "Intent",
    "Message",
    "Overwrite",
    "Permission",
    "Record",
    "Reply",
    "Role",
    "Settings",
    "StandIn",
    "Unanswered",
    "User",
    "activities",
]
