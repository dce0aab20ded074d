"""Who observes a place, and until when: no span grows past the last moment its watch was alive (guarantee G2)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import msgspec

from .contract.events import NO_WATCH, BridgeBeat, BridgeStopped, Event, Place
from .places import Places
from .statistic import GRACE_MS, HOUR_MS
from .tables import OBSERVED, WATCHES
from .writes import Moment, Writes

_REMEMBERED: Final = 8


class Watch(msgspec.Struct):
    """The watch that observes a place, or did last."""

    watch: str
    """Empty once it has ended."""
    since: int
    seen_until: int
    hour: int
    """The hour up to which open spans are credited."""
    ended: list[str]
    """Watches that came before; their late events move no spans."""


class Watching:
    """The watches of all places."""

    def __init__(self, rows: Iterable[tuple[int, str, int, int, int, str]] = (), places: Places | None = None) -> None:
        self._places = places or Places()
        self._watches = {
            place: Watch(watch, since, seen_until, hour, msgspec.json.decode(ended, type=list[str]))
            for place, watch, since, seen_until, hour, ended in rows
        }
        self._touched: set[int] = set()

    def observe(self, event: Event, moment: Moment) -> None:
        """Take the event as proof of life of its watch; end, interrupt or begin what follows from that."""
        moment.current = False
        moment.observer, moment.around = moment.place, (moment.place,)
        if event.watch == NO_WATCH:
            return
        moment.observer = self._observer(event, moment)
        moment.around = self._places.around(moment.observer)
        watch = self._watches.get(moment.observer)
        if watch is None or watch.watch != event.watch:
            if watch and event.watch in watch.ended:
                return
            watch = self._begin(event, moment, watch)
        moment.current = True
        if isinstance(event, BridgeStopped) and event.reason == "lost":
            moment.seen = watch.seen_until  # the loss is noticed now, but nothing was seen since
        if moment.seen - watch.seen_until > GRACE_MS:
            moment.credit_open(watch.seen_until, moment.seen)
            moment.writes.put(OBSERVED.name, (moment.observer, watch.since), {"until": watch.seen_until})
            watch.since = watch.seen_until = moment.seen
        elif moment.seen > watch.seen_until:
            watch.seen_until = moment.seen
        else:
            moment.seen = watch.seen_until
        moment.observed_since = watch.since
        self._touched.add(moment.observer)
        if isinstance(event, BridgeBeat):
            self._hour(watch, moment)
        elif isinstance(event, BridgeStopped):
            self._end(watch, moment)

    def seen_until(self, place: int) -> int:
        """The last sign of life of the watch that sees this place; 0: there never was one."""
        watch = self._watches.get(self._places.observer(place))
        return watch.seen_until if watch else 0

    def save(self, writes: Writes) -> None:
        """The rows to commit with the batch."""
        for place in sorted(self._touched):
            watch = self._watches[place]
            values: dict[str, Any] = {
                "watch": watch.watch, "since": watch.since, "seen_until": watch.seen_until, "hour": watch.hour,
                "ended": msgspec.json.encode(watch.ended).decode(),
            }  # fmt: skip
            writes.put(WATCHES.name, (place,), values)
            writes.put(OBSERVED.name, (place, watch.since), {"until": watch.seen_until})
        self._touched.clear()

    def _observer(self, event: Event, moment: Moment) -> int:
        """The place whose watch this event is from: the whole space's (a guild's) where that is the one it names."""
        known = self._places.observer(moment.place)
        if not event.place.channel:
            return known
        whole = self._places.known(Place(event.place.platform, event.place.space, ""))
        watch = self._watches.get(whole) if whole is not None else None
        if whole is None or watch is None or event.watch not in (watch.watch, *watch.ended):
            return known
        if known != whole:
            self._places.observed_by(moment.place, whole, moment.writes)
        if last := self._watches.pop(moment.place, None):  # it was observed by itself before
            moment.around = (moment.place,)
            moment.credit_open(last.seen_until, None)
            moment.writes.put(OBSERVED.name, (moment.place, last.since), {"until": last.seen_until})
            moment.writes.forget(WATCHES.name, (moment.place,))
            self._touched.discard(moment.place)
        return whole

    def _begin(self, event: Event, moment: Moment, last: Watch | None) -> Watch:
        ended: list[str] = []
        if last:
            moment.credit_open(last.seen_until, None)
            moment.writes.put(OBSERVED.name, (moment.observer, last.since), {"until": last.seen_until})
            ended = [*last.ended, last.watch][-_REMEMBERED:] if last.watch else last.ended
            # A new watch sees nothing of the time before the old one's last sign of life.
            moment.seen = max(moment.seen, last.seen_until)
        watch = Watch(event.watch, moment.seen, moment.seen, moment.seen // HOUR_MS, ended)
        self._watches[moment.observer] = watch
        return watch

    @staticmethod
    def _hour(watch: Watch, moment: Moment) -> None:
        hour = moment.seen // HOUR_MS
        if hour > watch.hour:
            moment.credit_open(hour * HOUR_MS, hour * HOUR_MS)
            watch.hour = hour

    @staticmethod
    def _end(watch: Watch, moment: Moment) -> None:
        moment.credit_open(moment.seen, None)
        watch.ended = [*watch.ended, watch.watch][-_REMEMBERED:]
        watch.watch = ""
