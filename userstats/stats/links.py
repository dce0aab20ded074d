"""Links: accounts of several platforms that were proven to be one person's, by a code shown to one and typed by the
other. Like aliases they are applied when asked: a link joins the past as well, and taking it back parts it again.

Stored: nothing of its own; the engine keeps `links`, since it decides in the order of the stream which ones fit.
"""

from __future__ import annotations

import secrets
from typing import Annotated, Final

import msgspec

from ..asking import Account, Now, Platform, Refused
from ..contract.events import AccountsLinked, AccountsUnlinked
from ..directory import Directory
from ..link_codes import LONGEST, VALID_MS, LinkCodes
from ..recorder import Changed, Recorder
from ..statistic import Metric, Statistic, query
from ..store.seam import Reader

On = Annotated[str, msgspec.Meta(min_length=1, max_length=32, description="the platform on which it is to be typed")]
Code = Annotated[str, msgspec.Meta(min_length=1, max_length=LONGEST, description="what was shown: ABCD-EFGH")]

_LINKS: Final = """
SELECT other, person, link, at FROM links WHERE other IN :people OR person IN :people ORDER BY at, other
"""
_WHERE: Final = "SELECT person, platform, space, at FROM wearers WHERE person IN :people ORDER BY person, at"


class Begun(msgspec.Struct, frozen=True):
    """A code that its person must type with another account."""

    code: str
    type_on: str | None
    """The platform on which to type it; None: on any other than this one."""
    until: str
    """ISO time up to which it is valid."""


class Linked(msgspec.Struct, frozen=True):
    """An account that is proven to be the same person's."""

    username: str
    platform: str
    """Empty where nobody has seen this account yet."""
    domain: str
    since: str
    """ISO time of the proof."""


@query("link.begin", shape="card", audience="self", period="all", changes=True)
async def begin(
    directory: Directory, codes: LinkCodes, now: Now, on: On | None = None,
    platform: Platform | None = None, account: Account | None = None,
) -> Begun:  # fmt: skip
    """Get a code that proves another account to be the same person's, once that account types it; for ten minutes.

    For oneself; a bridge or the operator names an account.
    """
    person = directory.subject(platform, account)
    code = codes.begin(person, directory.platform_of(platform), on or "", now.at)
    return Begun(code, on, now.iso(now.at + VALID_MS))


@query("link.confirm", shape="card", audience="self", period="all", changes=True)
async def confirm(
    reader: Reader, directory: Directory, recorder: Recorder, codes: LinkCodes, now: Now, code: Code,
    platform: Platform | None = None, account: Account | None = None,
) -> Changed:  # fmt: skip
    """Type a code that was shown to another account: both are one person from now on, and always were.

    For oneself; a bridge or the operator names the account that typed it.
    """
    person = directory.subject(platform, account)
    shown_to = codes.typed(code, person, directory.platform_of(platform), now.at).person
    one, other = await directory.accounts(shown_to), await directory.accounts(person)
    if one[0] == other[0]:
        return Changed(False, "these accounts are one person already")
    known = await reader.rows(_LINKS, {"people": tuple(other)})
    if known:
        raise Refused(409, "this account is linked with another one already; take that link back first")
    with_one = {row[0]: row[1] for row in await reader.rows(_LINKS, {"people": (shown_to,)})}
    link = secrets.token_hex(8)
    await recorder.record(AccountsLinked, person=with_one.get(shown_to, shown_to), other=person, link=link)
    return Changed(True, "these accounts are one person now")


@query("link.undo", shape="card", audience="self", period="all", changes=True)
async def undo(
    reader: Reader, directory: Directory, recorder: Recorder,
    platform: Platform | None = None, account: Account | None = None,
) -> Changed:  # fmt: skip
    """Take the links of an account back: its numbers are its own again.

    Of oneself; a bridge or the operator names an account.
    """
    person = directory.subject(platform, account)
    links = {link: None for _, _, link, _ in await reader.rows(_LINKS, {"people": (person,)})}
    for link in links:
        await recorder.record(AccountsUnlinked, link=link)
    said = f"{len(links)} {'link is' if len(links) == 1 else 'links are'} taken back" if links else "there is no link"
    return Changed(bool(links), said)


@query("link.show", audience="self", period="all")
async def show(
    reader: Reader, directory: Directory, now: Now, platform: Platform | None = None, account: Account | None = None
) -> list[Linked]:
    """The accounts that were proven to be the same person's, but for the one it is asked of.

    Of oneself; a bridge or the operator names an account.
    """
    person = directory.subject(platform, account)
    rows = await reader.rows(_LINKS, {"people": tuple(await directory.accounts(person))})
    since: dict[int, int] = {}
    for other, root, _, at in rows:
        since[other] = at
        since.setdefault(root, at)
    since.pop(person, None)
    labels = await directory.labels(since)
    seen = {one: (where, space) for one, where, space, _ in await reader.rows(_WHERE, {"people": tuple(since)})}
    return [Linked(labels[one], *seen.get(one, ("", "")), now.iso(at)) for one, at in since.items()]


STATISTIC = Statistic(
    name="links",
    questions=(begin, confirm, undo, show),
    metrics=(Metric("userstats_links", "Accounts that are linked with another one.", "SELECT COUNT(*) FROM links"),),
    reads=("aliases", "people"),
)
