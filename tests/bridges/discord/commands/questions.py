"""Questions for tests: those of the running code, and a few whose shape a test wants to know."""

from __future__ import annotations

from typing import Any, Final

from bridges.discord.commands.questions import Questions
from userstats import catalogue
from userstats.answer import Asked
from userstats.contract.questions import Listed, Parameter

REAL: Final = tuple(Asked(question).listed() for question in catalogue.read().questions.values())
"""Every question there is."""
_SCOPE: Final = tuple(Parameter(name=name) for name in ("platform", "domain", "channel"))
_PERIOD: Final = (
    *(Parameter(name=name) for name in ("since", "from", "to", "tz")),
    *(Parameter(name=name, kind="integer") for name in ("hours", "days")),
)
LIMIT: Final = Parameter(name="limit", kind="integer", default=10, least=1, most=1000)
USERNAME: Final = Parameter(name="username", required=True, least=1, most=128)


def question(name: str, *parameters: Parameter, scoped: bool = True, period: bool = True, **more: Any) -> Listed:
    """A question as userstats would list it."""
    said = {
        "help": f"About {name}.", "shape": "table", "audience": "everyone", "topic": "messages", "changes": False,
        "names_people": True, **more,
    }  # fmt: skip
    own = (*parameters, *(_SCOPE if scoped else ()), *(_PERIOD if period else ()))
    return Listed(question=name, period="30d" if period else None, scoped=scoped, parameters=own, **said)


KIND: Final = Parameter(name="kind", default="all", choices=("all", "plusplus", "phrases"))
BOARD: Final = question("board.kudos", LIMIT, KIND)
PROFILE: Final = question("user.profile", USERNAME, period=False)
OWN: Final = question("user.private", USERNAME, audience="self")
GLOBAL: Final = question("alias.list", scoped=False, period=False)
HEALTH: Final = question("system.health", scoped=False, period=False, names_people=False)
TEACH: Final = question(
    "alias.add", USERNAME, Parameter(name="alias", required=True), scoped=False, period=False, audience="staff",
    names_people=False, changes=True,
)  # fmt: skip
GAPS: Final = question("system.gaps", LIMIT, audience="staff")
IMPORT: Final = question(
    "import.rows", Parameter(name="batch", required=True), Parameter(name="first", kind="integer", required=True),
    Parameter(name="rows", kind="json", required=True), Parameter(name="tags", kind="array"),
    Parameter(name="dry", kind="boolean"), scoped=False, period=False, audience="operator", names_people=False,
    changes=True,
)  # fmt: skip
INNER: Final = question("consent.list", scoped=False, period=False, audience="bridge", names_people=False)
FEW: Final = Questions((BOARD, PROFILE, OWN, GLOBAL, HEALTH, TEACH, GAPS, IMPORT))
