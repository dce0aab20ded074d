"""An evening of fifty people in three guilds of the stand-in Discord: what they do, and what must be counted of it.

    clock = Clock(folder / "clock", now)                  # processes with `clock.environment` have it too
    async with StandIn(Settings(clock=clock, ...)) as site:
        evening = Evening(Town(site, seed), clock, seed=seed, acts=1500)
        ...                                               # a bridge connects
        await evening.spend(desk)                         # everything happens
        oracle = Oracle(evening)                          # what must be counted

`town.py` is the place; `scene.py`, `talking.py`, `living.py`, `gathering.py` and `choosing.py` are what people do;
`pace.py`, `troubles.py` and `evening.py` are the order of things and what goes wrong meanwhile. The oracle is `told.py`
(which deeds the bridge heard of, and when), `counted.py`, `times.py` and `members.py`. It reads the stand-in's record
of what really happened and the script's notes of when the line was cut (`line.py`); it shares no code with bridges or
userstats, and asks neither.
"""

from .clock import Clock
from .evening import Evening
from .oracle import Oracle
from .town import Town

__all__ = ["Clock", "Evening", "Oracle", "Town"]
