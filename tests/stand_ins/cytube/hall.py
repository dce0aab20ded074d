"""A room as the server has it: who is in it, and what is told when somebody comes, goes, is away or changes rank."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from .emotes import Emotes
from .frames import Frame, Json, server_line
from .member import Member, plain
from .oracle import Oracle
from .playlist import Playlist
from .settings import OPTIONS, Settings

if TYPE_CHECKING:
    from .replay import Recording
    from .site import StandIn


class Hall:
    """One channel of a stand-in as the server has it; `room.Room` adds what tests call."""

    def __init__(self, site: StandIn, name: str, *, registered: bool = True) -> None:
        self.site = site
        self.name = name
        self.registered = registered
        self.members: list[Member] = []
        self.history: deque[Frame] = deque(maxlen=self.settings.history_lines)
        self.options: dict[str, Json] = {**OPTIONS, "pagetitle": name}
        self.motd = ""
        self.drinks = 0
        self.poll: Json = None
        self.leader = ""
        self.ranks: dict[str, float] = {}
        """Channel ranks of registered names, by lower-case name."""
        self.muted: set[str] = set()
        self.smuted: set[str] = set()
        self.banned: dict[str, Json] = {}
        """Rows of the ban list by lower-case name."""
        self.bans = 0
        """How many there ever were: ids of the ban list."""
        self.oracle = Oracle()
        self.emotes = Emotes(self)
        self.playlist = Playlist(self)
        self.recording: Recording | None = None
        """If there is one, joining sockets hear it and nothing else."""
        self.unheard = 0
        """Chat lines since the last one that a socket got (or since the last socket's join, which got the history)."""
        self.changed = asyncio.Event()
        """Set, and replaced by a new one, whenever somebody comes or goes or the server starts."""
        self._count_timer: asyncio.TimerHandle | None = None
        self._counted_at = float("-inf")

    @property
    def settings(self) -> Settings:
        """The site's."""
        return self.site.settings

    def now(self) -> int:
        """The server's clock in ms."""
        return self.site.settings.clock()

    # -- telling ------------------------------------------------------------------------------------------------

    def tell(self, event: str, *args: Json, without: Member | None = None) -> None:
        """The same event for everybody inside."""
        frame = Frame(event, *args)
        for member in self.members:
            if member is not without:
                member.deliver(frame)

    def tell_views(
        self, event: str, args: Callable[[Member], Json], *, without: Member | None = None, moderators: bool = False
    ) -> None:
        """An event that looks different to moderators and site admins: `args` says how a viewer sees it."""
        frames: dict[tuple[bool, bool], Frame] = {}
        for member in self.members:
            if member is without or (moderators and not member.moderates):
                continue
            view = (member.moderates, member.global_rank >= 255)
            if view not in frames:
                frames[view] = Frame(event, args(member))
            member.deliver(frames[view])

    def tell_moderators(self, text: str) -> None:
        """A `[server]` line for ranks >= 2."""
        frame = server_line(text, self.now())
        for member in self.members:
            if member.moderates:
                member.deliver(frame)

    def tell_count(self) -> None:
        """`usercount`: at once if the last one is old enough, else when it is."""
        every = self.settings.usercount_every
        loop = asyncio.get_running_loop()
        wait = self._counted_at + every - loop.time()
        if wait <= 0:
            self._tell_count_now()
        elif self._count_timer is None:
            self._count_timer = loop.call_later(wait, self._tell_count_now)

    def _tell_count_now(self) -> None:
        self._count_timer = None
        self._counted_at = asyncio.get_running_loop().time()
        self.tell("usercount", len(self.members))

    def send_userlist(self, viewer: Member) -> None:
        """The roster of named members as the viewer sees it."""
        viewer.send("userlist", [member.user(viewer) for member in self.members if member.name])

    # -- coming and going ---------------------------------------------------------------------------------------

    def find(self, name: str) -> Member | None:
        """The named member inside, whatever the case."""
        key = name.lower()
        return next((member for member in self.members if member.name and member.key == key), None)

    def announce(self, member: Member) -> None:
        """A name appears (login inside, or entering with a name): the older one of that name goes, all are told."""
        older = next(
            (other for other in self.members if other.name and other.key == member.key and other is not member), None
        )
        if older is not None:
            older.kick("Duplicate login")
            self.part(older, also=member)
        self.oracle.joined(member.name, self.now(), replacing=older is not None)
        self.wake()
        member.aliases = member.aliases or [member.name]
        self.tell_views("addUser", member.user)
        self.tell_moderators(f"{member.name} joined (aliases: {','.join(member.aliases)})")
        member.muted = member.key in self.muted | self.smuted
        member.smuted = member.key in self.smuted
        if member.muted:
            self.tell_views("setUserMeta", lambda viewer: self._meta(member, viewer), moderators=True)

    def take_in(self, member: Member) -> None:
        """From now on the member hears what is told."""
        member.inside = True
        self.members.append(member)
        self.watch_idleness(member)
        if member.is_socket:
            self.unheard = 0
        if not member.name:
            self.oracle.anonymous_joins += 1
        self.wake()

    def wake(self) -> None:
        """Those who wait for `changed` look again."""
        self.changed.set()
        self.changed = asyncio.Event()

    def part(self, member: Member, *, also: Member | None = None) -> None:
        """The member is gone; `also` hears of it though it is not inside yet."""
        if not member.inside:
            return
        member.inside = False
        self.members.remove(member)
        if member.idle_timer is not None:
            member.idle_timer.cancel()
        if member.name:
            self.oracle.left(member.name, self.now())
            self.tell("userLeave", {"name": member.name})
            if also is not None and not also.inside:
                also.send("userLeave", {"name": member.name})
        member.afk = False
        self.tell_count()
        self.wake()

    def empty(self, *, keep_history: bool) -> None:
        """The server stopped: nobody is told anything, everybody is out."""
        for member in self.members:
            member.inside = False
            member.afk = False
            if member.idle_timer is not None:
                member.idle_timer.cancel()
            if member.name:
                self.oracle.left(member.name, self.now())
        self.members.clear()
        self.playlist.unload()
        if self.recording is not None:
            self.recording.stop()
        if self._count_timer is not None:
            self._count_timer.cancel()
            self._count_timer = None
        self._counted_at = float("-inf")
        self.drinks = 0
        if not keep_history:
            self.history.clear()

    # -- being away ---------------------------------------------------------------------------------------------

    def set_afk(self, member: Member, on: bool) -> None:
        """The AFK flag: `setUserMeta`, then the legacy `setAFK`; nothing if it is so already."""
        member.active_at = asyncio.get_running_loop().time()
        if member.afk == on:
            return
        member.afk = on
        if member.name:
            self.oracle.afk(member.name, self.now(), on=on)
        if on:
            member.send("clearVoteskipVote")
        else:
            self.watch_idleness(member)
        self.tell_views("setUserMeta", lambda viewer: self._meta(member, viewer))
        self.tell("setAFK", {"name": member.name, "afk": on})

    def watch_idleness(self, member: Member) -> None:
        """AFK by itself after the room's `afk_timeout` (seconds, 0 is never) without chatting."""
        if member.idle_timer is not None:
            member.idle_timer.cancel()
            member.idle_timer = None
        timeout = float(self.options["afk_timeout"])
        if timeout > 0 and not member.afk:
            loop = asyncio.get_running_loop()
            member.active_at = loop.time()
            member.idle_timer = loop.call_later(timeout, self._perhaps_idle, member)

    def _perhaps_idle(self, member: Member) -> None:
        loop = asyncio.get_running_loop()
        due = member.active_at + float(self.options["afk_timeout"])
        if due > loop.time():
            member.idle_timer = loop.call_at(due, self._perhaps_idle, member)
        else:
            member.idle_timer = None
            self.set_afk(member, True)

    def tell_meta(self, member: Member, *, moderators: bool = False) -> None:
        """`setUserMeta` as everybody may see it."""
        self.tell_views("setUserMeta", lambda viewer: self._meta(member, viewer), moderators=moderators)

    @staticmethod
    def _meta(member: Member, viewer: Member) -> Json:
        return {"name": member.name, "meta": member.meta(viewer)}

    def spelling(self, key: str) -> str:
        """A registered name as it was registered."""
        account = self.site.accounts.known.get(key)
        return account.name if account else key

    # -- ranks --------------------------------------------------------------------------------------------------

    def rank_here(self, member: Member) -> float:
        """The effective rank of a member in this room."""
        return max(member.global_rank, self.ranks.get(member.key, -1.0) if member.registered else -1.0)

    def set_rank(self, member: Member, rank: float, *, playlist: bool = False) -> None:
        """A member inside gets its rank after a login: `rank`, a userlist if the view changes, `setUserRank`."""
        before, member.rank = member.rank, rank
        member.send("rank", plain(rank))
        self._send_other_view(member, before)
        if playlist:
            self.playlist.send(member)
        self.tell("setUserRank", {"name": member.name, "rank": plain(rank)})

    def change_rank(self, member: Member, spelled: str) -> None:
        """A moderator gave a member inside another rank, typing the name so: here the userlist comes before `rank`."""
        before, member.rank = member.rank, self.rank_here(member)
        self._send_other_view(member, before)
        member.send("rank", plain(member.rank))
        self.tell("setUserRank", {"name": spelled, "rank": plain(member.rank)})

    def _send_other_view(self, member: Member, before: float) -> None:
        if any((before >= border) != (member.rank >= border) for border in (2, 255)):
            self.send_userlist(member)

    def set_options(self, **options: Json) -> None:
        """Channel options (`password`, `afk_timeout`, `block_anonymous_users`, ...): everybody gets `channelOpts`."""
        self.options |= options
        self.options["password"] = self.options["password"] or False
        self.tell("channelOpts", dict(self.options))
        if "afk_timeout" in options:
            for member in self.members:
                self.watch_idleness(member)

    def report(self) -> Json:
        """The oracle's count up to now."""
        return self.oracle.report(self.now())
