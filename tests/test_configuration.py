"""config.json: what is wrong is said by its path, what is generated is fresh, and secrets stay secret."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridges.cytube_room import Channel
from scripts import config_command, configuration
from scripts.config_command import Setting, check, effective, masked
from tests.cli import run
from userstats import catalogue, seeding, settings
from userstats.contract.config import SECTIONS, ConfigError, decode, from_document, load

SEED_CONFIG: dict[str, Any] = {
    "nats": {
        "servers": ["nats://localhost:4222"],
        "user": "${NATS_USER}",
        "password": "${NATS_PASSWORD}",
    },
    "channels": [{"domain": "cytu.be", "channel": "420grindhouse"}],
    "database": {"path": "data/userstats.db"},
    "snapshots": {"interval_seconds": 300},
    "kudos": {"default_phrases": ["lol", "rofl", "lmao", "haha", "😂", "🤣", "😆"]},
}
SEED_ALIASES: dict[str, Any] = {
    "aliases": {"kevinchrist": ["kc", "kchrist", "kevin"], "exampleuser": ["example", "ex"]},
    "kudos_phrases": ["lol", "rofl", "lmao", "haha", "nice", "great", "awesome"],
}


def written(folder: Path, document: Any, name: str = "config.json") -> Path:
    path = folder / name
    path.write_text(document if isinstance(document, str) else json.dumps(document), encoding="utf-8")
    return path


# --- the files of the seed ---


def test_the_seeds_config_loads_as_it_is_with_and_without_its_variables(tmp_path: Path) -> None:
    path = written(tmp_path, SEED_CONFIG)

    bare = settings.read(load(path, {}), tmp_path, catalogue.read())
    told = settings.read(load(path, {"NATS_USER": "me", "NATS_PASSWORD": "pa$$word"}), tmp_path, catalogue.read())

    assert (bare.nats.servers, bare.nats.user, bare.nats.password) == (("nats://localhost:4222",), "", "")
    assert (told.nats.user, told.nats.password) == ("me", "pa$$word")
    assert bare.database.path == "data/userstats.db"
    assert bare.kudos.default_phrases == tuple(SEED_CONFIG["kudos"]["default_phrases"])
    assert msgspec.to_builtins(load(path, {}).section("channels", list[Channel])[0]) == {
        "domain": "cytu.be", "channel": "420grindhouse", "via": "auto", "password": "", "bots": (),
    }  # fmt: skip
    assert [str(one) for one in check(path, {})] == []


def test_the_seeds_aliases_load_as_they_are(tmp_path: Path) -> None:
    file = seeding.read(written(tmp_path, SEED_ALIASES, "aliases.json"))

    assert (file.aliases, file.kudos_phrases) == (SEED_ALIASES["aliases"], SEED_ALIASES["kudos_phrases"])


# --- what is wrong is said by its path ---


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ("{", "{path}: is not JSON: Expecting property name enclosed in double quotes at line 1, column 2"),
        ("[]", "$: must be an object"),
        ({"nat": {}}, "$.nat: unknown setting; did you mean 'nats'?"),
        ({"nats": {"server": []}}, "$.nats.server: unknown setting; did you mean 'servers'?"),
        ({"nats": {"port": "4222"}}, "$.nats.port: expected `int`, got `str`"),
        ({"nats": {"tls": {"cert": 1}}}, "$.nats.tls.cert: expected `str`, got `int`"),
        ({"channels": [{"domain": "cytu.be"}]}, "$.channels[0]: missing setting `channel`"),
        ({"channels": [{"domain": "x", "channel": "y", "pasword": ""}]},
         "$.channels[0].pasword: unknown setting; did you mean 'password'?"),
        ({"channels": [{"domain": "x", "channel": "a b"}]},
         "$.channels[0]: a room's name has 1 to 30 letters, digits, - and _"),
        ({"questions": {"timezone": "Mars"}},
         "$.questions.timezone: no such time zone: 'Mars'; write it like Europe/Berlin or UTC"),
        ({"snapshots": {"interval_seconds": 0}}, "$.snapshots.interval_seconds: expected `int` >= 1"),
        ({"demo": {"rooms": ["a", "A"]}}, "$.demo.rooms: the same room is named twice"),
        ({"log": {"level": "LOUD"}}, "$.log.level: invalid enum value 'LOUD'"),
        ({"privacy": {"voice": "hidden"}}, "$.privacy.voice: invalid enum value 'hidden'"),
        ({"privacy": {"spaces": {"100": {"mesages": "off"}}}},
         "$.privacy.spaces.100.mesages: unknown setting; did you mean 'messages'?"),
    ],
)  # fmt: skip
def test_each_mistake_is_told_with_its_path_and_a_way_out(tmp_path: Path, document: Any, said: str) -> None:
    path = written(tmp_path, document)

    assert [str(one).lower() for one in check(path, {})] == [said.replace("{path}", str(path)).lower()]


def test_several_wrong_sections_are_all_told(tmp_path: Path) -> None:
    path = written(tmp_path, {"nats": {"port": ""}, "log": {"levle": ""}, "http": {"port": 1.5}})

    assert sorted(one.path for one in check(path, {})) == ["$.http.port", "$.log.levle", "$.nats.port"]


def test_a_broken_aliases_file_is_told(tmp_path: Path) -> None:
    written(tmp_path, {"aliases": {"amy": "ames"}}, "aliases.json")

    assert [str(one) for one in check(written(tmp_path, {}), {})] == [
        "aliases.json $.aliases.amy: 'ames' is not of type 'array'"
    ]


# --- ${VAR} ---


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("${A}", "one"),
        ("x${A}y${B}z", "xoneytwoz"),
        ("${MISSING:-fallback}", "fallback"),
        ("${MISSING:-}", ""),
        ("${EMPTY:-fallback}", "fallback"),
        ("${A:?say A}", "one"),
        ("$${A}", "${A}"),
        ("pa$$word$A", "pa$$word$A"),
        ("${file:secret}", "from a file"),
        ('${QUOTED}', 'a"b\\'),
    ],
)  # fmt: skip
def test_variables_are_put_into_texts(tmp_path: Path, text: str, value: str) -> None:
    (tmp_path / "secret").write_text("from a file\n")
    environment = {"A": "one", "B": "two", "EMPTY": "", "QUOTED": 'a"b\\'}

    config = load(written(tmp_path, {"nats": {"user": text}}), environment)

    assert config.document["nats"]["user"] == value


def test_what_only_names_an_unset_variable_is_as_if_it_were_not_there(tmp_path: Path) -> None:
    config = load(written(tmp_path, {"nats": {"user": "${NOPE}", "servers": ["${NOPE}", "nats://x"]}}), {})

    assert config.document == {"nats": {"servers": ["nats://x"]}}
    assert config.unset == {"$.nats.user", "$.nats.servers[0]"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("${MISSING:?tell me who}", "$.nats.user: tell me who"),
        ("${MISSING:?}", "$.nats.user: the environment variable MISSING is not set"),
        ("me${MISSING}", "$.nats.user: the environment variable MISSING is not set"),
        ("${no such}", "$.nats.user: ${no such} names no environment variable"),
        ("${file:absent}", "$.nats.user: the file absent cannot be read (FileNotFoundError)"),
    ],
)
def test_a_variable_that_cannot_be_put_in_is_told_by_path_without_its_value(
    tmp_path: Path, text: str, message: str
) -> None:
    with pytest.raises(ConfigError) as error:
        load(written(tmp_path, {"nats": {"user": text}}), {"SECRET": "s3cret"})

    assert str(error.value) == message


def test_a_value_of_the_environment_cannot_change_the_structure(tmp_path: Path) -> None:
    config = load(written(tmp_path, {"nats": {"user": "${A}"}}), {"A": '", "servers": ["nats://evil"], "x": "'})

    assert list(config.document["nats"]) == ["user"]


# --- what is generated ---


def test_the_generated_files_are_fresh() -> None:
    stale = [path.name for path, text in configuration.generate().items() if path.read_text("utf-8") != text]

    assert stale == [], "run: python -m scripts.configuration"


def test_the_example_means_what_an_empty_file_means(tmp_path: Path) -> None:
    example = load(configuration.EXAMPLE, {})

    for section, kinds in configuration.readers().items():
        for kind in kinds:
            whole = configuration.decoded_as(section, kind)
            assert example.section(section, whole) == from_document({}).section(section, whole), section
    assert [str(one) for one in check(configuration.EXAMPLE, {})] == []
    assert next(iter(json.loads(configuration.EXAMPLE.read_text("utf-8")))) == "$schema"


@pytest.mark.parametrize("document", [SEED_CONFIG, {}, json.loads(configuration.EXAMPLE.read_text("utf-8"))])
def test_the_schema_accepts_what_the_parts_accept(document: dict[str, Any]) -> None:
    jsonschema.Draft202012Validator(configuration.schema()).validate(document)


@pytest.mark.parametrize(
    "document",
    [{"nat": {}}, {"nats": {"server": []}}, {"nats": {"port": "4222"}}, {"channels": [{"domain": "x"}]},
     {"log": {"level": "LOUD"}}],
)  # fmt: skip
def test_the_schema_refuses_what_the_parts_refuse(document: dict[str, Any]) -> None:
    assert not jsonschema.Draft202012Validator(configuration.schema()).is_valid(document)


def test_the_schema_lets_texts_be_variables_and_explains_settings() -> None:
    schema = configuration.schema()

    jsonschema.Draft202012Validator(schema).validate({"log": {"level": "${LEVEL}"}, "//": 1, "nats": {"// x": None}})
    assert schema["$defs"]["NatsSettings"]["properties"]["creds"]["description"] == "A .creds file."
    assert "\n    " not in schema["$defs"]["NatsSettings"]["description"]


VALIDATOR = jsonschema.Draft202012Validator(configuration.schema())
READERS = configuration.readers()
TOGETHER = {"lease_seconds", "renew_seconds"}
"""Their rule is about the two of them, which no schema can say; tests/bridges has it."""
# Whole floats are left out: 1.0 is an integer to JSON Schema, and none to a struct.
NUMBERS = (
    st.integers(-5, 2**40)
    | st.floats(-5, 1e6).filter(lambda number: not number.is_integer())
    | st.sampled_from(["", "7"])
    | st.none()
    | st.booleans()
)


@given(st.sampled_from(sorted(READERS)), st.data())
def test_struct_and_schema_give_the_same_verdict_on_numbers(section: str, data: st.DataObject) -> None:
    (kind, *_) = READERS[section]
    fields = [field for field in msgspec.structs.fields(kind) if field.name not in TOGETHER]
    plain = [field for field in fields if "int" in str(field.type) or "float" in str(field.type)]
    chosen = data.draw(st.lists(st.sampled_from(plain or fields), max_size=3))
    value = {field.encode_name: data.draw(NUMBERS) for field in chosen}
    document = {section: [value] if section == "channels" else value}

    try:
        decode(document[section], configuration.decoded_as(section, kind), "$")
        accepted = True
    except ConfigError:
        accepted = False

    assert VALIDATOR.is_valid(document) == accepted


def test_every_section_belongs_to_somebody_and_nobody_reads_another() -> None:
    assert set(configuration.readers()) <= set(SECTIONS)


def test_a_section_that_two_parts_read_is_the_same_to_both() -> None:
    different = [
        section
        for section, kinds in READERS.items()
        if len(
            {str([(one.encode_name, one.type, one.default) for one in msgspec.structs.fields(kind)]) for kind in kinds}
        )
        > 1
    ]

    assert different == []


# --- config show ---


def test_each_value_is_shown_with_its_origin_and_secrets_are_masked(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("s3cret-token")
    path = written(tmp_path, {
        "nats": {"servers": ["nats://me:s3cret@host:4222"], "user": "${NATS_USER}", "password": "${PW}",
                 "token": "${file:token}"},
        "http": {"port": 1234, "token": "s3cret-http"},
        "database": {"url": "postgresql://u:s3cret@db/x"},
        "channels": [{"domain": "cytu.be", "channel": "x", "password": "s3cret-room"}],
        "questions": {"timezone": "${ZONE:-Europe/Berlin}"},
    })  # fmt: skip

    found = effective(path, {"PW": "s3cret-pw"})

    assert [one for one in found if one.origin != "default"] == [
        Setting("$.nats.servers", ["nats://***@host:4222"], "file"),
        Setting("$.nats.user", "", "default (${NATS_USER} is not set)"),
        Setting("$.nats.password", "***", "environment"),
        Setting("$.nats.token", "***", "secret file"),
        Setting("$.channels[0].domain", "cytu.be", "file"),
        Setting("$.channels[0].channel", "x", "file"),
        Setting("$.channels[0].password", "***", "file"),
        Setting("$.database.url", "postgresql://***@db/x", "file"),
        Setting("$.http.port", 1234, "file"),
        Setting("$.http.token", "***", "file"),
        Setting("$.questions.timezone", "Europe/Berlin", "file"),
    ]
    assert Setting("$.nats.port", 4222, "default") in found
    assert "s3cret" not in str(found)


def test_a_list_that_came_from_the_environment_is_masked() -> None:
    assert masked("$.nats.servers", ["nats://x"], "environment") == "***"
    assert masked("$.nats.servers", [], "environment") == []
    assert masked("$.cytube.name", "bot", "file") == "bot"


def test_the_command_checks_and_shows(tmp_path: Path) -> None:
    written(tmp_path, {"http": {"port": 1234, "token": "s3cret"}})

    checked = run(tmp_path, "config", "check")
    shown = run(tmp_path, "config", "show")
    everything = run(tmp_path, "config", "show", "--effective", "--json")
    written(tmp_path, {"htp": {}, "http": {"token": 3}})
    wrong = run(tmp_path, "config", "check")

    assert checked == (0, f"{tmp_path}/config.json: nothing is wrong with it\n", "")
    assert shown == (0, (
        "path          value  origin\n"
        "$.http.port   1234   file\n"
        '$.http.token  "***"  file\n'
    ), "")  # fmt: skip
    assert {"path": "$.nats.port", "value": 4222, "origin": "default"} in json.loads(everything.out)
    assert wrong.code == 1
    assert wrong.err == "$.htp: unknown setting; did you mean 'http'?\n"


def test_without_a_file_every_setting_has_its_default(tmp_path: Path) -> None:
    assert config_command.command(["check", "--config", str(written(tmp_path, {}))], tmp_path, tmp_path) == 0
    assert effective(None, {}) == [one for one in effective(None, {}) if one.origin == "default"]


def test_a_wrong_verb_ends_with_2(tmp_path: Path) -> None:
    ran = run(tmp_path, "config", "chekc")

    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("query_cli.py: config: ")
