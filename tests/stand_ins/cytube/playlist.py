"""A room's playlist and what is playing."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from .frames import Json
from .member import Member

if TYPE_CHECKING:
    from .hall import Hall


def clock_face(seconds: int) -> str:
    """`MM:SS` or `HH:MM:SS`."""
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{rest:02}" if hours else f"{minutes:02}:{rest:02}"


class Playlist:
    """Items with uids from 0, lost when the room is unloaded."""

    def __init__(self, room: Hall) -> None:
        self._room = room
        self.locked = True
        self.items: list[Json] = []
        self.current: int | None = None
        self._next_uid = 0
        self._started = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def queue(self, title: str, seconds: int = 0, *, kind: str = "cu", by: str = "", temp: bool = True) -> int:
        """Add an item at the end; its uid."""
        uid, self._next_uid = self._next_uid, self._next_uid + 1
        media = {
            "id": f"{kind}:{uid}",
            "title": title,
            "seconds": seconds,
            "duration": clock_face(seconds) if seconds else "--:--",
            "type": kind,
            "meta": {},
        }
        item = {"media": media, "uid": uid, "temp": temp, "queueby": by}
        after = self.items[-1]["uid"] if self.items else "prepend"
        self.items.append(item)
        self._room.tell("queue", {"item": item, "after": after})
        self._room.tell("setPlaylistMeta", self._meta())
        if self.current is None:
            self._start(uid)
        return uid

    def jump(self, uid: int) -> None:
        """Make an item the current one; a temporary one that was playing is deleted first."""
        if uid == self.current:
            return
        self._drop_temp()
        self._start(uid)

    def delete(self, uid: int) -> None:
        """Remove an item; the next one plays if it was the current one, and nothing is said if there is none."""
        at = self._index(uid)
        del self.items[at]
        self._room.tell("delete", {"uid": uid})
        self._room.tell("setPlaylistMeta", self._meta())
        if uid == self.current:
            self.current = None
            if self.items:
                self._start(self.items[at % len(self.items)]["uid"])
            else:
                self._stop_timer()

    def clear(self) -> None:
        """Nothing is left, and no event says that nothing plays."""
        self.items.clear()
        self.current = None
        self._stop_timer()
        self._room.tell("playlist", [])
        self._room.tell("setPlaylistMeta", self._meta())

    def next(self) -> None:
        """The item after the current one, round and round."""
        if self.current is None:
            return
        at = self._index(self.current)
        following = self.items[(at + 1) % len(self.items)]["uid"]
        if following != self.current:
            self.jump(following)

    def send(self, member: Member) -> None:
        """`setPlaylistMeta`, `playlist` and, if something is current, `setCurrent`."""
        member.send("setPlaylistMeta", self._meta())
        member.send("playlist", list(self.items))
        if self.current is not None:
            member.send("setCurrent", self.current)

    def send_current(self, member: Member) -> None:
        """`setCurrent` and `changeMedia`, if something is current."""
        if self.current is not None:
            member.send("setCurrent", self.current)
            member.send("changeMedia", self._now_playing())

    def unload(self) -> None:
        """The room is loaded again later: uids start at 0, and what was playing is not playing."""
        self.items.clear()
        self.current = None
        self._next_uid = 0
        self._stop_timer()

    def _index(self, uid: int) -> int:
        return next(at for at, item in enumerate(self.items) if item["uid"] == uid)

    def _meta(self) -> Json:
        total = sum(item["media"]["seconds"] for item in self.items)
        return {"count": len(self.items), "rawTime": total, "time": clock_face(total)}

    def _drop_temp(self) -> None:
        if self.current is not None and self.items[self._index(self.current)]["temp"]:
            gone, self.current = self.current, None
            self.delete(gone)

    def _start(self, uid: int) -> None:
        self.current = uid
        self._room.oracle.media += 1
        media = self.items[self._index(uid)]["media"]
        loop = asyncio.get_running_loop()
        self._started = loop.time() + (self._room.settings.lead_in if media["seconds"] else 0)
        self._room.tell("setCurrent", uid)
        self._room.tell("changeMedia", self._now_playing())
        self._room.drinks = 0
        self._room.tell("drinkCount", 0)
        for member in self._room.members:
            if member.rank >= 1.5:
                member.send("voteskip", {"count": 0, "need": 0})
        self._stop_timer()
        if media["seconds"] and self._room.settings.media_update_every:
            self._timer = loop.call_at(self._started, self._tick)

    def _now_playing(self) -> Json:
        assert self.current is not None
        media = self.items[self._index(self.current)]["media"]
        return {**media, **self._position(media["seconds"])}

    def _position(self, seconds: int) -> Json:
        if not seconds:
            return {"currentTime": 0, "paused": False}
        position = asyncio.get_running_loop().time() - self._started
        return {"currentTime": round(position, 3), "paused": position < 0}

    def _tick(self) -> None:
        assert self.current is not None
        seconds = self.items[self._index(self.current)]["media"]["seconds"]
        loop = asyncio.get_running_loop()
        if loop.time() - self._started > seconds:
            self.next()
            return
        self._room.tell("mediaUpdate", self._position(seconds))
        over = self._started + seconds + self._room.settings.advance_after
        following = loop.time() + self._room.settings.media_update_every
        self._timer = loop.call_at(over if following > self._started + seconds else following, self._tick)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
