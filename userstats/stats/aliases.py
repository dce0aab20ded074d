"""Aliases: names that belong to one person. They are applied when asked, so a corrected alias corrects the past.

Stored: `aliases` (alias and owner, as keys of names; the texts are in `names`). Kept by every rebuild.
"""

from __future__ import annotations

from ..contract.events import AliasAdded, AliasRemoved
from ..statistic import KEY, PUT, Statistic, Table
from ..writes import Moment

ALIASES = Table("aliases", {"alias": KEY}, {"owner": PUT, "at": PUT}, (("owner", "alias"),), kept=True)


def added(event: AliasAdded, moment: Moment) -> None:
    moment.put(ALIASES, (event.alias,), {"owner": event.owner, "at": moment.at})


def removed(event: AliasRemoved, moment: Moment) -> None:
    moment.forget(ALIASES, (event.alias,))


STATISTIC = Statistic(name="aliases", on={AliasAdded: added, AliasRemoved: removed}, tables=(ALIASES,))
