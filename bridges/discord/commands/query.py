"""What somebody asks: from the options that Discord sends to a request that userstats understands.

Whoever asks on a server asks about that server. Who may look elsewhere is decided here, each time anew: also when a
button is pressed that was made when more was allowed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from bridges.discord.settings import CommandSettings
from userstats.contract.questions import Listed, Parameter

from . import arguments
from .command_set import DIRECT, FORMATS
from .plain import Unclear, all_of, quoted
from .questions import Questions, parameter

PLATFORM: Final = "discord"
ME: Final = "me"
"""As a name: whoever asks."""
PERSON: Final = "username"
WHERE: Final = "where"
"""Kept beside the parameters of a query: which places, as it was said."""
HERE, EVERYWHERE = "here", "everywhere"
ROWS: Final = 100
"""How many rows are asked for where nothing is said: they are shown page by page."""
_PLACE: Final = re.compile(r"([\w.-]+)(?::([^/]*)(?:/(.*))?)?")
_SCOPE: Final = ("platform", "domain", "channel")
_ANYBODY: Final = frozenset(("everyone", "self"))
"""Audiences of questions that are asked on behalf of whoever asks."""


class Asker(NamedTuple):
    """Who asks, and from where."""

    account: str
    guild: str
    """Empty: in a conversation with the bot."""
    staff: bool = False
    """They may manage this server."""
    operator: bool = False


class Query(NamedTuple):
    """One question with what was said, as buttons remember it."""

    question: str
    arguments: Mapping[str, Any]
    """Parameters, and `where`."""
    invoker: str
    """The account that may press its buttons."""
    page: int = 0
    private: bool | None = None
    form: str = FORMATS[0]


def understood(options: Mapping[str, Any], questions: Questions, asker: Asker) -> Query:
    """The query that the options of `/stats` are. `channel` is its id, `member` a name. Raises Unclear."""
    asked = found(str(options.get("question", "")), questions)
    said: dict[str, Any] = {}
    if (person := options.get("person")) is not None:
        _put(said, asked, "person", PERSON, person.strip())
    if (member := options.get("member")) is not None:
        _put(said, asked, "member", PERSON, member)
    if (channel := options.get("channel")) is not None:
        _put(said, asked, "channel", "channel", channel)
    if (period := options.get("period")) is not None:
        for name, value in _period(period.strip()).items():
            _put(said, asked, "period", name, value)
    for option, name in DIRECT:
        if (given := options.get(option)) is not None:
            _put(said, asked, option, name, given)
    for name, value in arguments.read(str(options.get("arguments", "")), asked).items():
        _put(said, asked, "arguments", name, value)
    if (where := _where(options, said)) and asked.scoped:
        said[WHERE] = where
    return Query(
        asked.question, said, asker.account, private=options.get("private"), form=options.get("format", FORMATS[0])
    )


def found(text: str, questions: Questions) -> Listed:
    """The question of this name. Raises Unclear with what was probably meant."""
    asked = questions.find(text)
    if asked:
        return asked
    like = [one.question for one in questions.like(text)[:5]] if text.strip() else []
    meant = f"did you mean {all_of(like)}?" if like else "type a word, and choose from what is suggested"
    raise Unclear(f"there is no question {quoted(text)}; {meant}")


def missing(query: Query, asked: Listed) -> list[Parameter]:
    """What must still be said."""
    return [one for one in asked.parameters if one.required and one.name not in with_me(query, asked)]


def with_me(query: Query, asked: Listed) -> dict[str, Any]:
    """What was said; questions that are answered about oneself only need not be told about whom."""
    said = dict(query.arguments)
    if asked.audience == "self" and parameter(asked, PERSON):
        said.setdefault(PERSON, ME)
    return said


def request(query: Query, asked: Listed, asker: Asker, settings: CommandSettings) -> dict[str, Any]:
    """What userstats is asked. Raises Unclear where this person may not ask it."""
    said = with_me(query, asked)
    if others := for_whom(asked, asker):
        raise Unclear(f"{quoted(asked.question)} is for {others}")
    where = said.pop(WHERE, HERE)
    free = asker.operator or settings.anywhere or about_oneself(said, asked)
    if not asked.scoped:
        if not free and (asked.names_people or asked.audience not in _ANYBODY):
            raise Unclear(
                f"{quoted(asked.question)} is about everything that is counted: only operators may ask it here"
            )
    else:
        said |= _scope(said, where, asker, free=free)
    limit = parameter(asked, "limit")
    if limit and isinstance(limit.default, int) and limit.default < ROWS:
        said.setdefault("limit", min(ROWS, limit.most or ROWS))
    return said


def _scope(said: Mapping[str, Any], where: str, asker: Asker, *, free: bool) -> dict[str, str]:
    """Which places it is about: this server, unless another place is said by somebody who may."""
    own = {"platform": PLATFORM, "domain": asker.guild} if asker.guild else {}
    other = {key: said[key] for key in ("platform", "domain") if key in said}
    here = where == HERE and all(own.get(key) == value for key, value in other.items())
    if not free and not (own and here):
        raise Unclear(_NOT_HERE if asker.guild else _NO_SERVER)
    if where != HERE:
        return {**other, **_place(where)}
    return own if here else other


def about_oneself(said: Mapping[str, Any], asked: Listed) -> bool:
    """Whether it can only be answered with what the asker did themselves."""
    return asked.audience == "self" or str(said.get(PERSON, "")).casefold() == ME


def personal(query: Query, asked: Listed) -> bool:
    """Whether only the asker should see the answer: what is about one person is, unless they want it otherwise."""
    if asked.audience != "everyone":
        return True
    if query.private is not None:
        return query.private
    return PERSON in query.arguments


def on_behalf(asked: Listed, asker: Asker) -> str:
    """For whom it is asked; empty: for the bridge itself, where it has been made sure of that the asker may know."""
    return f"{PLATFORM}:{asker.account}" if asked.audience in _ANYBODY else ""


def for_whom(asked: Listed, asker: Asker) -> str:
    """For whom else this question is; empty: the asker is one of them."""
    if asked.audience in _ANYBODY or asker.operator:
        return ""
    if asked.audience != "staff":
        return "the operators of this installation"
    return "" if asker.staff else "those who may manage this server"


def _put(said: dict[str, Any], asked: Listed, option: str, name: str, value: Any) -> None:
    what = parameter(asked, name)
    if what is None and option in {"person", "member", "channel", "period"}:
        takes = [one.name for one in asked.parameters]
        raise Unclear(f"{quoted(asked.question)} takes no {option}; it takes {all_of(takes) or 'nothing'}")
    what = what or arguments.known(asked, name)
    if name in said:
        raise Unclear(f"{quoted(name)} is said twice")
    said[name] = arguments.value(what, value)


def _period(text: str) -> dict[str, str]:
    start, dots, end = text.partition("..")
    if not dots:
        return {"since": text}
    return {name: moment.strip() for name, moment in (("from", start), ("to", end)) if moment.strip()}


def _where(options: Mapping[str, Any], said: Mapping[str, Any]) -> str:
    where = str(options.get("where") or "").strip()
    if where.casefold() in {"", HERE}:
        return ""
    if where.casefold() == EVERYWHERE:
        return EVERYWHERE
    if clash := sorted(set(said) & set(_place(where))):
        raise Unclear(f"`where` and {quoted(clash[0])} cannot both be said")
    return where


def _place(where: str) -> dict[str, str]:
    """platform:domain/channel, of which the last parts may be left out. Raises Unclear."""
    if where == EVERYWHERE:
        return {}
    match = _PLACE.fullmatch(where)
    if not match:
        raise Unclear(f"{quoted(where)} is no place; write it like {quoted('cytube:cytu.be/room')}, or {EVERYWHERE}")
    return {key: value for key, value in zip(_SCOPE, match.groups(), strict=True) if value}


_NOT_HERE: Final = "here you can ask about this server, and about yourself; other places only operators may ask about"
_NO_SERVER: Final = "in a conversation with me you can ask about yourself (`person: me`); ask on a server about others"
