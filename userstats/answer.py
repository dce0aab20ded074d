"""The one way a question is answered: validate, authorise, run, envelope. Every surface calls `Answers.answer`.

A little over 300 lines, because validating, authorising, running and wrapping are one path that is read as one.
"""

from __future__ import annotations

import asyncio
import difflib
import inspect
import logging
import re
import secrets
import time
import typing
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, Literal

import msgspec

from .asking import Now, Period, Refused, Scope, period_of, zone
from .catalogue import Catalogue
from .contract.privacy import PrivacySettings
from .contract.process import told
from .contract.pseudonym import Pseudonyms
from .contract.questions import Account, Coverage, Failure, Listed, PeriodText, Problem, Reply
from .directory import Directory
from .labels import place_names
from .listing import Listing, parameters
from .shown import NO_POLICY, Asking
from .statistic import Question
from .store.seam import DatabaseGone, Reader, Store

if TYPE_CHECKING:  # the command line reads schemas, and must start without a validator of them
    import jsonschema

log = logging.getLogger(__name__)

Asker = Literal["everyone", "self", "staff", "bridge", "operator"]
_RANK: Final = {"everyone": 0, "self": 1, "staff": 2, "bridge": 3, "operator": 4}
_SCOPE: Final = {"platform": str | None, "domain": str | None, "channel": str | None}
_PERIOD: Final = {
    "since": str | None, "from": str | None, "to": str | None, "hours": int | None, "days": int | None,
    "tz": str | None,
}  # fmt: skip
_NAMED: Final = {
    "platform": "LOWER(p.platform) = :platform",
    "space": "(LOWER(p.space) = :space OR EXISTS (SELECT 1 FROM places g WHERE g.platform = p.platform "
    "AND g.space = p.space AND g.channel = '' AND g.folded = :space))",
    "channel": "(LOWER(p.channel) = :channel OR (p.folded = :channel AND p.channel <> ''))",
}
"""How a request names places: by the platform's id or by what the platform calls them."""
_UNSTORABLE: Final = re.compile("[\0\ud800-\udfff]")
_BEGINNINGS: Final = """
SELECT COUNT(*), MIN(since) FROM (
    SELECT (SELECT MIN(o.since) FROM observed o WHERE o.place = p.place) AS since FROM places p{scope}
) AS beginnings WHERE since < :end
"""
_OBSERVED: Final = """
SELECT SUM((CASE WHEN until < :end THEN until ELSE :end END) - (CASE WHEN since > :start THEN since ELSE :start END))
FROM observed WHERE until > :start AND since < :end{scope}
"""
_GIVEN: Final = (Reader, Directory, Scope, Period, Now)


class Asked:
    """A question with its request's schema, made once from the function's signature."""

    def __init__(self, question: Question) -> None:
        self.question = question
        hints = typing.get_type_hints(question.answer, include_extras=True)
        self.result = hints.pop("return")
        self.own = {name: hints[name] for name in inspect.signature(question.answer).parameters}
        fields: list[Any] = []
        for name, kind in self.own.items():
            default = inspect.signature(question.answer).parameters[name].default
            if kind is Scope:
                fields += [(key, hint, None) for key, hint in _SCOPE.items()]
            elif kind is Period:
                fields += [(key, hint, None) for key, hint in _PERIOD.items()]
            elif kind is Now and Period not in self.own.values():
                fields.append(("tz", str | None, None))
            elif kind not in _GIVEN and not _is_service(kind):
                fields.append((name, kind) if default is inspect.Parameter.empty else (name, kind, default))
        fields.sort(key=len)
        title = "".join(part.title() for part in question.name.replace(".", "_").split("_"))
        rename = {f"{name}_" if name in {"from"} else name: name for name, *_ in fields}
        renamed = [(f"{one[0]}_" if one[0] in {"from"} else one[0], *one[1:]) for one in fields]
        self.request = msgspec.defstruct(f"{title}Request", renamed, kw_only=True, frozen=True, rename=rename)
        self.schema = _closed(msgspec.json.schema(self.request))
        self.has_period = Period in self.own.values()
        self.has_scope = Scope in self.own.values()

    @cached_property
    def validator(self) -> jsonschema.Draft202012Validator:
        """Checks requests against the schema, and says why one does not fit."""
        import jsonschema  # noqa: PLC0415  (as above)

        return jsonschema.Draft202012Validator(self.schema)

    @property
    def definition(self) -> dict[str, Any]:
        """The part of the schema that is about the request itself, not about structs in it."""
        name = self.schema["$ref"].rpartition("/")[2]
        found: dict[str, Any] = self.schema["$defs"][name]
        return found

    def result_schema(self) -> dict[str, Any]:
        """JSON Schema of the answer's `data`."""
        return msgspec.json.schema(self.result)

    def listed(self) -> Listed:
        """What there is to know for whoever wants to ask it."""
        question = self.question
        return Listed(
            question=question.name, help=question.help, shape=question.shape, audience=question.audience,
            topic=question.topic, changes=question.changes, period=question.period if self.has_period else None,
            scoped=self.has_scope, names_people=Directory in self.own.values(), parameters=parameters(self.definition),
        )  # fmt: skip


class Service(typing.Protocol):
    """Marker of what `answer` lends to questions about the service itself (see `Answers.services`)."""

    userstats_service: bool


def _is_service(kind: Any) -> bool:
    return isinstance(kind, type) and bool(getattr(kind, "userstats_service", False))


def _closed(schema: dict[str, Any]) -> dict[str, Any]:
    for definition in (schema, *schema.get("$defs", {}).values()):
        if definition.get("type") == "object":
            definition["additionalProperties"] = False
    return schema


def _unobserved(_question: str, _code: int, _seconds: float) -> None:
    pass


class Answers:
    """Answers questions about one store."""

    def __init__(
        self,
        catalogue: Catalogue,
        store: Store,
        pseudonyms: Pseudonyms,
        *,
        zone: str = "UTC",
        now: Callable[[], int] = lambda: int(time.time() * 1000),
        services: tuple[Any, ...] = (),
        deadline: float = 10.0,
        observe: Callable[[str, int, float], None] = _unobserved,
        privacy: PrivacySettings = NO_POLICY,
    ) -> None:
        """`observe` is told of every reply: question as asked, code (200: answered) and seconds. `privacy`: who is
        shown of those who have not chosen."""
        self.asked = {name: Asked(question) for name, question in catalogue.questions.items()}
        self._validators = {name: asked.validator for name, asked in self.asked.items()}
        self._store = store
        self._pseudonyms = pseudonyms
        self._zone = zone
        self._now = now
        listing = Listing(asked.listed() for asked in self.asked.values())
        self._services = {type(one): one for one in (listing, *services)}
        self._deadline = deadline
        self._observe = observe
        self._privacy = privacy

    async def answer(
        self, name: str, request: Mapping[str, Any], asker: Asker = "operator", me: Account | None = None
    ) -> Reply | Failure:
        """Answer a question, or say in words why not. Never raises but for cancellation.

        `me`: the account that somebody asks with. Who that is may be told their own numbers, and no more than anybody
        else (`asker` is then no more than `self`).
        """
        began = time.perf_counter()
        reply = await self._reply(name, request, asker if me is None else "self", me)
        code = reply.error.code if isinstance(reply, Failure) else 200
        self._observe(name, code, time.perf_counter() - began)
        return reply

    async def _reply(self, name: str, request: Mapping[str, Any], asker: Asker, me: Account | None) -> Reply | Failure:
        try:
            async with asyncio.timeout(self._deadline):
                return await self._answer(name, request, asker, me)
        except Refused as refused:
            return _failure(name, refused)
        except TimeoutError:
            return _failure(name, Refused(504, f"{name} took longer than {self._deadline:g} s"))
        except DatabaseGone:
            return _failure(name, Refused(503, "the database does not answer; ask again in a moment"))
        except Exception as error:
            incident = secrets.token_hex(4)
            log.error("question %s failed (incident %s): %s", name, incident, told(error))
            return _failure(name, Refused(500, f"internal error {incident}; the service's log says more"))

    async def _answer(self, name: str, request: Mapping[str, Any], asker: Asker, me: Account | None) -> Reply:
        asked = self._find(name)
        if _RANK[asker] < _RANK[asked.question.audience]:
            raise Refused(403, f"{name} is answered to {asked.question.audience} only")
        values = {key: value for key, value in request.items() if value is not None}
        typed = self._typed(asked, values)
        period = self._period(asked, values)
        asking = self._asking(asked, asker, me)
        async with self._store.reading() as reader:
            scope = await _scope(reader, values) if asked.has_scope else Scope()
            given = {
                Reader: reader, Directory: Directory(reader, self._pseudonyms, asking), Scope: scope, Period: period,
                Now: Now(self._now(), period.zone),
            }  # fmt: skip
            arguments = {
                key: given[kind] if kind in _GIVEN else self._services.get(kind) or getattr(typed, key)
                for key, kind in asked.own.items()
            }
            as_of = (await reader.rows("SELECT seq FROM stream_position WHERE shard = 0"))[0][0]
            data = await asked.question.answer(**arguments)
            coverage = await _coverage(reader, scope, period) if asked.has_period and asked.has_scope else None
            places = await place_names(reader, data)
        return Reply(
            question=name, shape=asked.question.shape, data=data, timezone=period.zone, coverage=coverage, as_of=as_of,
            period=_period_text(period) if asked.has_period else None, generated_at=period.iso(self._now()),
            places=places,
        )  # fmt: skip

    def _typed(self, asked: Asked, values: Mapping[str, Any]) -> Any:
        """The request as the question's own struct. Refused (400) where it does not fit."""
        for error in self._validators[asked.question.name].iter_errors(values):
            raise Refused(400, _explain(error, asked), path=error.json_path)
        if not _storable(values):
            raise Refused(400, "a text holds a NUL or half of a surrogate pair")
        try:
            return msgspec.convert(values, asked.request)
        except msgspec.ValidationError as error:  # 10.0 is an integer to the schema and none to msgspec
            raise Refused(400, str(error)) from error

    def _asking(self, asked: Asked, asker: Asker, me: Account | None) -> Asking:
        person = None if me is None else self._pseudonyms.person(me.platform, me.account.casefold())
        only_me = asked.question.audience == "self" and asker == "self"
        return Asking(
            self._privacy, asked.question.topic, person, me.platform if me else "", asker == "operator", only_me,
            for_others=asker in {"bridge", "operator"},
        )  # fmt: skip

    def _period(self, asked: Asked, values: Mapping[str, Any]) -> Period:
        if not asked.has_period:
            return Period(None, self._now(), zone(values.get("tz") or self._zone).key)
        return period_of(values, asked.question.period, self._now(), self._zone)

    def _find(self, name: str) -> Asked:
        asked = self.asked.get(name)
        if asked is None:
            close = difflib.get_close_matches(name, self.asked, 3, 0.5)
            raise Refused(404, f"no question is called {name!r}", did_you_mean=close)
        return asked


def _storable(value: Any) -> bool:
    """Whether every text in it is one that both databases take."""
    if isinstance(value, str):
        return not _UNSTORABLE.search(value)
    if isinstance(value, Mapping):
        return all(map(_storable, value.values()))
    return not isinstance(value, list) or all(map(_storable, value))


def _period_text(period: Period) -> PeriodText:
    start = None if period.start is None else period.iso(period.start)
    return PeriodText(start=start, end=period.iso(period.end), text=period.text())


def _failure(name: str, refused: Refused) -> Failure:
    problem = Problem(code=refused.code, message=refused.message, details=refused.details)
    return Failure(question=name, error=problem)


def _explain(error: jsonschema.ValidationError, asked: Asked) -> str:
    """One sentence that names the parameter and what is wrong with it."""
    violated: Any = error.schema  # the request's, or that of a struct in it
    known = list(violated.get("properties", {}))
    if error.validator == "additionalProperties":
        unknown = sorted(set(_instance(error)) - set(known))
        close = difflib.get_close_matches(unknown[0], known, 1)
        meant = f"did you mean {close[0]!r}?" if close else f"it takes {', '.join(known) or 'none'}"
        return f"{asked.question.name} has no parameter {unknown[0]!r}; {meant}"
    if error.validator == "required":
        missing = sorted(set(violated["required"]) - set(_instance(error)))
        return f"{missing[0]} required"
    where = error.json_path.removeprefix("$.").removeprefix("$") or "the request"
    return f"{where}: {error.message}"


def _instance(error: jsonschema.ValidationError) -> dict[str, Any]:
    return error.instance if isinstance(error.instance, dict) else {}


async def _scope(reader: Reader, values: Mapping[str, Any]) -> Scope:
    """The places a request names. Refused (404) when there is none."""
    platform, domain, channel = (values.get(key) for key in _SCOPE)
    if platform is None and domain is None and channel is None:
        return Scope()
    conditions = ["1 = 1"]
    wanted: dict[str, Any] = {}
    for column, value in (("platform", platform), ("space", domain), ("channel", channel)):
        if value is not None:
            folded = value.casefold().lstrip("#") if column == "channel" else value.casefold()
            conditions.append(_NAMED[column])
            wanted[column] = folded
    rows = await reader.rows(
        f"SELECT p.place, COALESCE(p.observer, p.place), p.space FROM places p WHERE {' AND '.join(conditions)}", wanted
    )
    if not rows:
        named = " ".join(f"{key} {value!r}" for key, value in wanted.items())
        raise Refused(404, f"nothing is known about {named}", known=await _known(reader))
    places, observers, spaces = (tuple(dict.fromkeys(column)) for column in zip(*rows, strict=True))
    if domain is not None and len(spaces) == 1:
        domain = spaces[0]
    return Scope(places, platform, domain, channel, None if set(observers) == set(places) else observers)


async def _known(reader: Reader) -> list[str]:
    rows = await reader.rows("SELECT platform, space, channel FROM places WHERE channel <> '' ORDER BY place LIMIT 20")
    return [f"{platform}:{space}/{channel}" for platform, space, channel in rows]


async def _coverage(reader: Reader, scope: Scope, period: Period) -> Coverage:
    imported = await _imported(reader, scope, period)
    ((places, earliest),) = await reader.rows(
        _BEGINNINGS.format(scope=scope.seen.where(" WHERE ", "p.place")), {"end": period.end, **scope.seen.parameters}
    )
    if not places:
        return Coverage(ratio=None, observed_since=None, imported_until=imported)
    start = earliest if period.start is None else period.start
    ((observed,),) = await reader.rows(
        _OBSERVED.format(scope=scope.seen.where()), {"start": start, "end": period.end, **scope.seen.parameters}
    )
    ratio = int(observed or 0) / (places * max(1, period.end - start))
    return Coverage(ratio=round(min(1.0, ratio), 6), observed_since=period.iso(earliest), imported_until=imported)


async def _imported(reader: Reader, scope: Scope, period: Period) -> str | None:
    if not period.all_time:
        return None
    ((until,),) = await reader.rows(
        f"SELECT MAX(until) FROM opening_balances{scope.where(' WHERE ')}", scope.parameters
    )
    return None if until is None else period.iso(until)
