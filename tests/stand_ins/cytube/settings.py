"""How a stand-in behaves: the real server's numbers by default, with what slows tests down switchable."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Mapping
from typing import Final

Clock = Callable[[], int]


def wall_clock() -> int:
    """Milliseconds since the epoch, as `Date.now()`."""
    return time.time_ns() // 1_000_000


@dataclasses.dataclass(frozen=True, slots=True)
class Settings:
    """Seconds unless said otherwise. Limits are off by default; their real values are in the comments."""

    clock: Clock = wall_clock
    """The server's clock in ms: times of chat, PMs and polls, and of the oracle."""
    ping_interval: float = 25.0
    ping_timeout: float = 120.0
    usercount_every: float = 10.0
    """At most one usercount per room in this time (the first at once, the last after it); 0 sends every change."""
    media_update_every: float = 5.0
    """0 switches mediaUpdate and the automatic advance off."""
    lead_in: float = 3.0
    """Between `changeMedia` and the picture of a timed item."""
    advance_after: float = 2.0
    """From the end of an item to the next one."""
    chat_burst: int = 0
    """How many chat messages and PMs a socket may send at once before 10/s (really 20); 0 does not limit."""
    guest_login_delay: float = 0.0
    """Really 60: one guest login per address in this time."""
    connection_burst: int = 0
    """Really 5, then one per `connection_refill`: more is refused with "Rate limit exceeded". 0 does not limit."""
    connection_refill: float = 10.0
    sockets_per_address: int = 0
    """Really 10; one more is accepted, kicked and closed. 0 does not limit."""
    join_takes: float = 0.003
    """How long the server loads before it answers joinChannel; a channelPassword that comes meanwhile is lost."""
    guest_login_takes: float = 0.001
    account_login_takes: float = 0.008
    rank_takes: float = 0.002
    """From an account's login inside a room to its channel rank (rank, second userlist, setUserRank)."""
    slow_rank: bool = False
    """The race of login-then-join that is sometimes lost: first the plain view with rank 1, then the true rank."""
    max_message_units: int = 320
    history_lines: int = 15


PERMISSIONS: Final[Mapping[str, float]] = {
    "seeplaylist": -1,
    "playlistadd": 1.5,
    "playlistnext": 1.5,
    "playlistmove": 1.5,
    "playlistdelete": 2,
    "playlistjump": 1.5,
    "playlistaddlist": 1.5,
    "oplaylistadd": -1,
    "oplaylistnext": 1.5,
    "oplaylistmove": 1.5,
    "oplaylistdelete": 2,
    "oplaylistjump": 1.5,
    "oplaylistaddlist": 1.5,
    "playlistaddcustom": 3,
    "playlistaddrawfile": 2,
    "playlistaddlive": 1.5,
    "exceedmaxlength": 2,
    "addnontemp": 2,
    "settemp": 2,
    "playlistshuffle": 2,
    "playlistclear": 2,
    "pollctl": 1.5,
    "pollvote": -1,
    "viewhiddenpoll": 1.5,
    "voteskip": -1,
    "viewvoteskip": 1.5,
    "mute": 1.5,
    "kick": 1.5,
    "ban": 2,
    "motdedit": 3,
    "filteredit": 3,
    "filterimport": 3,
    "emoteedit": 3,
    "emoteimport": 3,
    "playlistlock": 2,
    "leaderctl": 2,
    "drink": 1.5,
    "chat": 0,
    "chatclear": 2,
    "exceedmaxitems": 2,
    "deletefromchannellib": 2,
    "exceedmaxdurationperuser": 2,
}

OPTIONS: Final[Mapping[str, object]] = {
    "allow_voteskip": True,
    "voteskip_ratio": 0.5,
    "afk_timeout": 600,
    "maxlength": 0,
    "externalcss": "",
    "externaljs": "",
    "chat_antiflood": False,
    "chat_antiflood_params": {"burst": 4, "sustained": 1, "cooldown": 4},
    "show_public": False,
    "enable_link_regex": True,
    "password": False,
    "allow_dupes": False,
    "torbanned": False,
    "block_anonymous_users": False,
    "allow_ascii_control": False,
    "playlist_max_per_user": 0,
    "new_user_chat_delay": 0,
    "new_user_chat_link_delay": 0,
    "playlist_max_duration_per_user": 0,
}
