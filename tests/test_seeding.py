"""aliases.json at start: said once, and what was removed at run time stays removed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.say import World
from tests.stats.changing import WorldRecorder, change
from userstats import seeding
from userstats.contract.config import ConfigError
from userstats.seeding import AliasFile
from userstats.stats import aliases, people, phrases
from userstats.store.seam import Store

FILE = AliasFile({"kevinchrist": ["kc", "kchrist"]}, ["lol", "Nice"])


@pytest.fixture
async def world(store: Store) -> World:
    return await World.open(store, aliases.STATISTIC, people.STATISTIC, phrases.STATISTIC)


async def test_the_file_and_the_default_phrases_are_taken_over_once(world: World) -> None:
    said = await seeding.seed(world.store, WorldRecorder(world), FILE, ("rofl", "lol"))
    again = await seeding.seed(world.store, WorldRecorder(world), FILE, ("rofl", "lol"))

    assert (said, again) == (5, 0)
    assert await world.rows("SELECT phrase FROM phrases ORDER BY phrase") == [("lol",), ("nice",), ("rofl",)]
    assert await world.rows("SELECT n.name FROM aliases a JOIN names n ON n.name_key = a.alias ORDER BY n.name") == [
        ("kc",), ("kchrist",),
    ]  # fmt: skip


async def test_what_was_removed_at_run_time_is_not_brought_back(world: World) -> None:
    await seeding.seed(world.store, WorldRecorder(world), FILE, ())
    await change(world, "alias.remove", alias="kc")
    await change(world, "phrase.remove", phrase="lol")

    assert await seeding.seed(world.store, WorldRecorder(world), FILE, ("lol", "haha")) == 0
    assert await world.rows("SELECT phrase FROM phrases WHERE active = 1") == [("nice",)]


async def test_what_is_new_in_the_file_is_taken_over_at_the_next_start(world: World) -> None:
    await seeding.seed(world.store, WorldRecorder(world), FILE, ())
    longer = AliasFile({"kevinchrist": ["kc", "kchrist", "kevin"]}, ["lol", "nice", "great"])

    assert await seeding.seed(world.store, WorldRecorder(world), longer, ()) == 2


def test_an_absent_file_is_an_empty_one(tmp_path: Path) -> None:
    assert seeding.read(tmp_path / "aliases.json") == AliasFile()


@pytest.mark.parametrize(
    ("document", "path"),
    [({"aliases": {"kevin": "kc"}}, "$.aliases.kevin"), ({"kudos_phrases": [""]}, "$.kudos_phrases[0]"), ([], "$")],
)
def test_a_wrong_file_is_refused_by_its_json_path(tmp_path: Path, document: object, path: str) -> None:
    (tmp_path / "aliases.json").write_text(json.dumps(document))

    with pytest.raises(ConfigError) as refused:
        seeding.read(tmp_path / "aliases.json")

    assert refused.value.path == f"aliases.json {path}"
