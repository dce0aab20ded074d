"""Who plays: the people of the demo rooms and their habits. Every name is invented."""

from __future__ import annotations

from typing import Final, NamedTuple

from .dice import dice


class Manner(NamedTuple):
    """A kind of regular."""

    talk: float
    """Lines a minute while at the keyboard."""
    weekday: float
    """The chance that they come on a day, Monday to Thursday."""
    weekend: float
    hours: float
    """How long they usually stay."""
    awake: float
    """Minutes at the keyboard before they go away from it."""
    away: float
    """Minutes until they are back."""
    emotes: float
    """The share of their lines that is nothing but emotes."""
    thanks: float
    """The share of their lines that thanks somebody."""


class Person(NamedTuple):
    """One of the cast."""

    name: str
    manner: Manner
    hour: float
    """When they usually arrive, in hours of the day, UTC."""


MANNERS: Final[dict[str, Manner]] = {
    "regular": Manner(1.50, 0.70, 0.85, 2.8, 70, 14, 0.10, 0.06),
    "chatty": Manner(4.00, 0.80, 0.90, 3.5, 110, 9, 0.12, 0.07),
    "lurker": Manner(0.06, 0.60, 0.75, 3.5, 14, 60, 0.10, 0.03),
    "owl": Manner(1.90, 0.75, 0.90, 4.0, 60, 15, 0.10, 0.06),
    "drifter": Manner(1.00, 0.80, 0.85, 5.0, 16, 35, 0.08, 0.04),
    "emoter": Manner(2.20, 0.65, 0.85, 2.3, 80, 12, 0.62, 0.04),
    "grateful": Manner(1.70, 0.70, 0.85, 2.8, 80, 12, 0.08, 0.36),
    "visitor": Manner(0.70, 0.20, 0.35, 0.8, 45, 12, 0.10, 0.05),
}

BOT: Final = "reelkeeper"
"""The room's bot: always here, announces the films, is written to in private."""

NICKNAMES: Final[dict[str, tuple[str, ...]]] = {
    "kevinchrist": ("kc", "kchrist", "kevin"),
    "exampleuser": ("example", "ex"),
}
"""What the others call them: the aliases that aliases.json is delivered with."""

_CAST: Final = """
kevinchrist regular 19.5 · exampleuser grateful 19 · VelvetHammer chatty 18.5 · Popcorn_Pete chatty 19
gorgonzilla emoter 20 · midnight-mass owl 1 · SlowZoom lurker 18 · NitrateNed regular 19 · TapeHiss drifter 17
Rewinder regular 20 · LadyLament chatty 19.5 · QuietPlease lurker 19 · SnackBarSal grateful 18.5
Foley_Fox regular 18 · grainstorm emoter 19 · Cigarette_Burn regular 20 · TrackingError drifter 18
moth_in_the_gate owl 2 · dutch-angle regular 19 · CelluloidCat emoter 20.5 · RubberBat regular 17.5
Mister_Matte lurker 20 · chainsaw_choir chatty 20 · Beta_Maxine grateful 19.5 · FogMachineFred regular 18.5
squibs regular 21 · Vera_Vertigo regular 19 · doublefeature drifter 19.5 · GhoulScout emoter 18
latchkey_lou owl 0.5 · PanAndScanDan visitor 20 · OrsonWelcome regular 19 · reel_thing lurker 20.5
Crankcase visitor 21 · swamp_thang chatty 1.5 · MatineeIdle regular 14 · UHF_Uma regular 2 · Tentacle_Tim emoter 3
brisket_ghost owl 3.5 · aspect-ratio lurker 21 · DeadAirDana regular 10 · kookaburra_noir chatty 9.5
Ozploitation_Oz regular 10.5 · tallboots lurker 11 · GrindylowGrace regular 18 · StopMotionStan grateful 20
hexagonal visitor 16 · Wet_Cement visitor 13 · BoomInShot regular 20 · lens_flareup drifter 18.5
Drive-In_Dee chatty 20.5 · CreditsRoller regular 21 · vhs_vicar regular 19 · MonsterMabel emoter 19
pulp_fixture lurker 18.5 · Jumpcut_June owl 23 · SecondUnitSid visitor 17 · TheGaffer regular 19.5
KeyGripKate regular 20 · wilhelm_squeal emoter 20
"""

_FIRST: Final = "amber brass chrome dusty ember foggy gritty hazy ivory jade lunar mossy neon opal rusty velvet"
_LAST: Final = "badger comet dynamo ferret goblin heron kettle lantern magpie otter projector raven spool wombat"


def cast(people: int) -> tuple[Person, ...]:
    """That many people: the known sixty first, then extras with made-up habits."""
    known = [entry.split() for line in _CAST.strip().splitlines() for entry in line.split(" · ")]
    named = [Person(name, MANNERS[manner], float(hour)) for name, manner, hour in known[:people]]
    return (*named, *(_extra(number) for number in range(people - len(named))))


def _extra(number: int) -> Person:
    chance = dice("extra", number)
    first, last = _FIRST.split(), _LAST.split()
    again, pair = divmod(number, len(first) * len(last))
    name = f"{first[pair % len(first)]}_{last[pair // len(first)]}{again or ''}"
    return Person(name, MANNERS[chance.choice(sorted(MANNERS))], chance.gauss(19.5, 2.5) % 24)


def company(everyone: tuple[Person, ...], room: str, share: float) -> tuple[Person, ...]:
    """Those of the cast who come to this room: always the first two, about this share of the others."""
    first = everyone[:2]
    return first + tuple(person for person in everyone[2:] if dice("company", room, person.name).random() < share)
