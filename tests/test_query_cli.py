"""The command line against a real broker and a real userstats: what it prints, how it ends, what it completes."""

from __future__ import annotations

import ast
import asyncio
import csv
import json
import os
import re
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import nkeys
import pytest
import pytest_asyncio
from nats.aio.msg import Msg

from tests.brokers import ANY_PORT, Brokers
from tests.cli import BIDI, EVENING, FORMULA, Ran, Stack, at_terminal, evening, run
from tests.e2e.processes import ROOT
from userstats import catalogue
from userstats.answer import Asked
from userstats.contract import subjects
from userstats.contract.broker import connect
from userstats.surfaces.cli import forms
from userstats.surfaces.cli.arguments import Command, Help, read
from userstats.surfaces.cli.completion import candidates
from userstats.surfaces.cli.exits import Trouble
from userstats.surfaces.cli.extras import Extra
from userstats.surfaces.cli.options import FLAGS
from userstats.surfaces.cli.parameters import parameters
from userstats.surfaces.cli.shells import SCRIPTS

PROGRAM = str(ROOT / "query_cli.py")
KNOWN = catalogue.read()
ASKED = {name: Asked(question) for name, question in KNOWN.questions.items()}
FOOTER = "2025-03-03 00:00 to 2025-03-04 00:00 UTC · 2.4 % observed since 2025-03-03 19:55:00 · as of event N\n"
TALKERS = [("Alice", 4), ("Bob", 3), (FORMULA, 2), (BIDI, 1)]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    """Everything running, in a folder of its own."""
    made = await evening(tmp_path_factory.mktemp("cli"))
    yield made
    await made.userstats.stop()
    await made.broker.stop()


def seed(line: str) -> Any:
    """A command of the seed, skipped while no room answers it."""
    noun, verb, *_ = line.removeprefix("--domain cytu.be ").split()
    exists = f"{noun}.{verb}" in KNOWN.questions or forms.meant(noun, verb, KNOWN.questions)
    return pytest.param(line, marks=pytest.mark.skipif(not exists, reason=f"no room answers {noun} {verb} yet"))


# --- what is printed ---


def test_a_leaderboard_is_an_aligned_table_with_its_period_zone_and_coverage(stack: Stack) -> None:
    ran = stack.run("leaderboard", "messages", "--limit", "10", *EVENING)

    assert (ran.code, ran.err, _without_position(ran.out)) == (0, "", (
        "leaderboard messages: Who says the most.\n\n"
        "username   count\n"
        "Alice          4\n"
        "Bob            3\n"
        "=1+1|calc      2\n"
        "evelacol       1\n\n"
        f"{FOOTER}"
    ))  # fmt: skip


def test_channel_media_shows_titles_lengths_and_who_queued(stack: Stack) -> None:
    ran = stack.run("channel", "media", "grindhouse", "--limit", "1", *EVENING, "--quiet")

    assert ran == Ran(0, (
        "at                   domain   channel     title                   media_type  media_id                seconds"
        "  queued_by  imported\n"
        '2025-03-03 20:15:00  cytu.be  grindhouse  =HYPERLINK("http://x")  yt          =hyperlink("http://x")    1 min'
        "  -          no\n"
    ), "")  # fmt: skip


def test_user_stats_are_a_card_with_its_lists_below(stack: Stack) -> None:
    ran = stack.run("user", "alice", "--channel", "grindhouse", *EVENING)

    assert (ran.code, ran.err, _without_position(ran.out)) == (0, "", (
        "user stats: Everything about one person on a card.\n\n"
        "username:          Alice\n"
        "first_seen:        2025-03-03 19:55:00\n"
        "last_seen:         2025-03-03 20:05:00\n"
        "messages:          4\n"
        "blocks:            1\n"
        "words:             7\n"
        "private_messages:  1\n"
        "total:             35 min\n"
        "not_afk:           35 min\n"
        "kudos_plusplus:    0\n"
        "kudos_given:       1\n\n"
        "kudos_phrases\nphrase  count\nlol         1\n\n"
        "emotes\nemote     count\nPogChamp      3\n\n"
        "channels\n"
        "platform  domain   channel     messages  words  private_messages   total  not_afk  blocks\n"
        "cytube    cytu.be  grindhouse         4      7                 1  35 min   35 min       1\n\n"
        f"{FOOTER}"
    ))  # fmt: skip


def test_system_stats_and_health_are_cards(stack: Stack) -> None:
    stats = stack.run("system", "stats", "-q").out
    health = stack.run("system", "health", "-q").out

    assert [line.split() for line in stats.splitlines()][:8] == [
        ["total_users:", "4"], ["total_messages:", "10"], ["total_pms:", "1"], ["total_kudos:", "2"],
        ["total_kudos_plusplus:", "1"], ["total_kudos_phrases:", "1"], ["total_emotes:", "3"],
        ["total_media_changes:", "2"],
    ]  # fmt: skip
    assert "status:              healthy\n" in health


def test_channel_population_is_a_series_with_bars(stack: Stack) -> None:
    ran = stack.run("channel", "population", "#Grindhouse", *EVENING, "-q")

    assert ran == Ran(0, (
        "at                   domain   channel     connected  named  not_afk  chatters  imported\n"
        "2025-03-03 19:55:00  cytu.be  grindhouse          5      2        2         0  no\n"
        "2025-03-03 20:05:00  cytu.be  grindhouse          6      2        1         2  no\n"
        "2025-03-03 20:20:00  cytu.be  grindhouse          7      2        1         0  no\n"
        "\n"
        "connected  ▅▇▇  5 to 7\n"
        "named      ▇▇▇  2 to 2\n"
        "not_afk    ▇▃▃  1 to 2\n"
        "chatters   ▁▇▁  0 to 2\n"
    ), "")  # fmt: skip


def test_a_private_number_is_a_card(stack: Stack) -> None:
    ran = stack.run("user", "private-messages", "alice", *EVENING, "-q")

    assert ran == Ran(0, "username:          Alice\nprivate_messages:  1\n", "")


@pytest.mark.parametrize("line", [seed(line) for line in (
    "system stats", "system health", "user alice", "user alice --channel grindhouse",
    "leaderboard messages --limit 10", "leaderboard kudos --limit 10", "leaderboard emotes --limit 20",
    "channel top grindhouse --limit 10", "channel media grindhouse --limit 20",
    "channel population grindhouse --hours 24", "--domain cytu.be channel top grindhouse",
)])  # fmt: skip
def test_the_commands_that_users_of_kryten_know_work_as_they_are(stack: Stack, line: str) -> None:
    ran = stack.run(*line.split())

    assert (ran.code, ran.err) == (0, "")
    assert re.search(r" UTC( · .*)? · as of event \d+\n$", ran.out)


def test_g31_a_board_without_a_period_says_which_one_it_has_and_all_time_is_said_too(stack: Stack) -> None:
    usual = stack.run("leaderboard", "messages").out.splitlines()
    everything = stack.run("leaderboard", "messages", "--since", "all").out.splitlines()

    assert usual[2] == "not observed in this period"
    assert re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d to \d{4}-\d\d-\d\d \d\d:\d\d UTC · ", usual[-1])
    assert everything[-1].startswith("all time until ")


def test_g18_times_and_days_are_those_of_the_zone_that_is_asked_for_and_printed(stack: Stack) -> None:
    ran = stack.run("channel", "media", "grindhouse", "--limit", "1", "--tz", "Asia/Kolkata", *EVENING)
    early = stack.run(
        "channel", "media", "grindhouse", "--tz", "Asia/Kolkata", "--from", "2025-03-04", "--to", "2025-03-04"
    )

    assert "2025-03-03 00:00 to 2025-03-04 00:00 Asia/Kolkata" in ran.out  # 20:15 UTC is tomorrow there
    assert "2025-03-04 01:45:00" in early.out


def test_json_is_the_envelope_as_one_document_with_stable_keys(stack: Stack) -> None:
    ran = stack.run("--json", "leaderboard", "messages", *EVENING)

    document = json.loads(ran.out)
    assert list(document) == [
        "schema", "question", "shape", "generated_at", "timezone", "period", "coverage", "as_of", "data",
    ]  # fmt: skip
    assert document["schema"] == "userstats.v1/leaderboard.messages"
    assert document["timezone"] == "UTC"
    assert document["period"]["from"] == "2025-03-03T00:00:00+00:00"
    assert document["coverage"] == {
        "ratio": 0.024306, "observed_since": "2025-03-03T19:55:00+00:00", "imported_until": None,
    }  # fmt: skip
    assert document["data"] == [{"username": name, "count": count} for name, count in TALKERS]


def test_g22_csv_has_no_formulas_and_no_hidden_characters(stack: Stack) -> None:
    ran = stack.run("leaderboard", "messages", "--format", "csv", *EVENING)

    assert ran.out == '"username","count"\n"Alice",4\n"Bob",3\n"\'=1+1|calc",2\n"evelacol",1\n'
    assert [row[0] for row in csv.reader(ran.out.splitlines())][3] == "'=1+1|calc"


def test_g22_ndjson_and_markdown_keep_names_apart_from_their_layout(stack: Stack) -> None:
    lines = stack.run("leaderboard", "messages", "--format", "ndjson", *EVENING).out.splitlines()
    markdown = stack.run("leaderboard", "messages", "--format", "markdown", "-q", *EVENING).out

    assert lines[3] == '{"username": "eve\\u202elacol\\u200b", "count": 1}'
    assert [json.loads(line) for line in lines] == [{"username": name, "count": count} for name, count in TALKERS]
    assert "| =1+1\\|calc | 2 |\n" in markdown


def test_an_output_that_is_not_utf8_gets_ascii_bars_and_marks(stack: Stack) -> None:
    ran = stack.run("channel", "population", "grindhouse", *EVENING, PYTHONIOENCODING="cp1252")

    assert "connected  =##  5 to 7\n" in ran.out
    assert " UTC | 2.4 % observed since " in ran.out


def test_at_a_terminal_no_line_is_wider_than_it_and_names_of_columns_are_bold(stack: Stack) -> None:
    shown = at_terminal(stack.folder, "channel", "media", "grindhouse", *EVENING, columns=100).out
    plain = re.sub(r"\x1b\[[0-9;]*m", "", shown)

    assert max(map(len, plain.splitlines())) <= 100
    assert "\x1b" not in plain
    assert "\x1b[1m" in shown
    assert "────" in plain


@pytest.mark.parametrize(
    ("words", "environment"), [(["--no-color"], {}), ([], {"NO_COLOR": "1"}), ([], {"TERM": "dumb"})]
)
def test_colour_can_be_switched_off(stack: Stack, words: list[str], environment: dict[str, str]) -> None:
    shown = at_terminal(stack.folder, "leaderboard", "messages", *EVENING, *words, environment=environment).out

    assert "Alice" in shown
    assert "\x1b" not in shown


def test_colour_can_be_forced_where_there_is_no_terminal(stack: Stack) -> None:
    assert "\x1b[1musername" in stack.run("leaderboard", "messages", *EVENING, FORCE_COLOR="1").out
    assert "\x1b" not in stack.run("leaderboard", "messages", *EVENING, "--no-color", FORCE_COLOR="1").out


def test_a_width_that_is_said_holds_without_a_terminal_too(stack: Stack) -> None:
    ran = stack.run("channel", "media", "grindhouse", *EVENING, "--width", "60")

    assert max(map(len, ran.out.splitlines())) <= 60


def test_verbose_says_on_stderr_what_is_asked_and_quiet_leaves_the_rows_alone(stack: Stack) -> None:
    loud = stack.run("leaderboard", "messages", *EVENING, "-v", "--quiet", "--limit", "1")

    assert loud.out == "username  count\nAlice         4\n"
    assert "asking userstats.v1.query.leaderboard.messages" in loud.err


def test_an_option_that_makes_no_difference_is_remarked_on_but_no_obstacle(stack: Stack) -> None:
    ran = stack.run("--domain", "cytu.be", "phrase", "list", "-v")

    assert ran.code == 0
    assert "--domain: makes no difference to phrase.list" in ran.err


def test_watching_asks_again_and_again(stack: Stack) -> None:
    process = subprocess.Popen(
        [sys.executable, PROGRAM, "leaderboard", "messages", "--watch", "0.1", *EVENING, "-q"],
        cwd=stack.folder, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None

    shown = [process.stdout.readline() for _ in range(11)]

    process.terminate()
    process.wait(10)
    process.stdout.close()
    assert shown.count("Alice          4\n") == 2


def test_a_reader_that_has_seen_enough_ends_us_quietly(stack: Stack) -> None:
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; '{sys.executable}' '{PROGRAM}' leaderboard messages --watch 0.1 | head -1"],
        cwd=stack.folder, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip

    assert (done.returncode, done.stdout, done.stderr) == (0, "leaderboard messages: Who says the most.\n", "")


# --- one layer of answers behind every surface ---


FREE = [
    name
    for name, asked in ASKED.items()
    if not any(one.required or one.name == "account" for one in parameters(asked, ""))
]
"""Questions that can be asked without a word (but for those of oneself, which a command line is not)."""


def _period(name: str) -> dict[str, str]:
    return {"from": "2025-03-03", "to": "2025-03-03"} if ASKED[name].has_period else {}


@pytest.fixture(scope="module")
def told(stack: Stack) -> dict[str, Any]:
    """What the command line says to each of them; all in one process, because starting takes longest."""
    lines = [[*name.split("."), *(EVENING if _period(name) else ()), "--json"] for name in FREE]
    program = (
        "import json, sys; from pathlib import Path; from userstats.surfaces.cli.run import main\n"
        "for words in json.loads(sys.stdin.read()):\n"
        "    code = main(words, 'query_cli.py', Path('.'), {}); print(json.dumps(code))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=stack.folder, env={**os.environ, "PYTHONPATH": str(ROOT)},
        input=json.dumps(lines), capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    documents: list[Any] = []
    decoder, at = json.JSONDecoder(), 0
    while at < len(done.stdout):
        document, at = decoder.raw_decode(done.stdout, at)
        documents.append(document)
        at += 1
    return {one["question"]: one["data"] for one in documents if isinstance(one, dict)}


@pytest.mark.parametrize("name", FREE)
async def test_g30_command_line_nats_and_http_give_the_same_answer(
    stack: Stack, told: dict[str, Any], name: str
) -> None:
    client = await connect(ANY_PORT, "client", name="test", folder=stack.folder)
    body = json.dumps(_period(name)).encode()
    by_nats = json.loads((await client.request(subjects.question(name), body, timeout=10)).data)
    await client.close()
    by_http = await asyncio.to_thread(_http, stack, name, _period(name))

    assert by_nats["success"], by_nats
    assert _steady(told[name]) == _steady(by_nats["data"])
    assert _steady(by_http) in (_steady(by_nats["data"]), "forbidden")


def _steady(data: Any) -> Any:
    """Without what is different each time somebody asks."""
    moving = {"uptime_seconds", "timestamp", "commands_processed"}
    return {key: value for key, value in data.items() if key not in moving} if isinstance(data, dict) else data


def _http(stack: Stack, name: str, request: dict[str, str]) -> Any:
    words = "&".join(f"{key}={value}" for key, value in request.items())
    try:
        with urllib.request.urlopen(f"{stack.http}/api/{name.replace('.', '/')}?{words}") as answer:
            return json.load(answer)["data"]
    except urllib.error.HTTPError as error:
        return {403: "forbidden"}.get(error.code)


# --- how it ends ---


def test_a_name_that_nobody_has_ends_with_3(stack: Stack) -> None:
    ran = stack.run("user", "messages", "nobody")

    assert (ran.code, ran.out) == (3, "")
    assert ran.err.startswith("query_cli.py: nobody called 'nobody' was ever seen")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("leaderboard messages --limit 0", "limit: 0 is less than the minimum of 1"),
        ("leaderboard messages --since soon", "since: 'soon' is no length of time; write it like 24h, 30d, 2w or all"),
        ("leaderboard messages --tz Mars", "tz: no such time zone: 'Mars'; write it like Europe/Berlin or UTC"),
        ("leaderboard mesages", "leaderboard has no 'mesages'; did you mean messages?"),
        ("completion tcsh", "completion: say for which shell: bash, zsh, fish, powershell"),
    ],
)
def test_wrong_usage_ends_with_2_and_one_sentence(stack: Stack, words: str, sentence: str) -> None:
    assert stack.run(*words.split()) == Ran(2, "", f"query_cli.py: {sentence}\n")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("chanel media", "there is no 'chanel'; did you mean channel?"),
        ("leaderboard messages --limt 3", "leaderboard messages has no option --limt; did you mean --limit?"),
        ("leaderboard messages --limit ten", "leaderboard messages: --limit: 'ten' is no whole number"),
        ("leaderboard messages --limit", "leaderboard messages: --limit: expected one argument"),
        ("leaderboard messages --format xml",
         "leaderboard messages: --format: 'xml' is none of table, json, ndjson, csv, markdown"),
        ("leaderboard messages --width 3", "leaderboard messages: --width: '3' is no number from 20 up"),
        ("user messages", "user messages: username required; usage: query_cli.py user messages USERNAME [options]"),
        ("user messages alice bob", "user messages: 'bob' is one word too many"),
        ("user mesages alice", "user stats: 'alice' is one word too many; did you mean messages?"),
        ("phrase", "phrase: say what about it: add, list, remove"),
        ("--limit 3", "query_cli.py has no option --limit"),
    ],
)  # fmt: skip
def test_what_was_meant_is_said_without_asking_anybody(words: str, sentence: str) -> None:
    with pytest.raises(Trouble) as trouble:
        read(words.split(), KNOWN, "query_cli.py", {})

    assert (trouble.value.code, trouble.value.message) == (2, sentence)


def test_no_broker_ends_with_4(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")

    ran = run(tmp_path, "leaderboard", "messages")

    assert ran == Ran(4, "", (
        "query_cli.py: no broker: no embedded broker runs in data/broker "
        f"({tmp_path}/config.json); is everything started?\n"
    ))  # fmt: skip


def test_a_server_that_does_not_answer_ends_with_4(tmp_path: Path) -> None:
    ran = run(tmp_path, "leaderboard", "messages", "--server", "nats://127.0.0.1:1")
    other = run(tmp_path, "leaderboard", "messages", NATS_URL="nats://secret:word@127.0.0.1:1")

    assert (ran.code, other.code) == (4, 4)
    assert "(--server)" in ran.err
    assert "(NATS_URL)" in other.err
    assert "word" not in other.err


async def test_a_broker_without_userstats_ends_with_4(fresh_broker: Brokers) -> None:
    (fresh_broker.folder / "config.json").write_text("{}")

    ran = await asyncio.to_thread(run, fresh_broker.folder, "leaderboard", "messages")

    assert ran == Ran(
        4, "", "query_cli.py: userstats does not run: the broker is there, but nobody answers questions\n"
    )


async def test_an_answer_that_does_not_come_ends_with_5(fresh_broker: Brokers) -> None:
    await _answering(fresh_broker, None)

    ran = await asyncio.to_thread(run, fresh_broker.folder, "leaderboard", "messages", "--timeout", "0.3")

    assert ran == Ran(5, "", "query_cli.py: no answer to leaderboard.messages within 0.3 s\n")


@pytest.mark.parametrize(
    ("error", "code", "sentence"),
    [
        ({"code": 403, "message": "answered to staff only"}, 6, "answered to staff only"),
        ({"code": 404, "message": "nobody called 'alcie'", "details": {"did_you_mean": ["alice", "al\u202eec"]}}, 3,
         "nobody called 'alcie'; did you mean alice or alec?"),
        ({"code": 404, "message": "nothing is known", "details": {"known": ["cytube:cytu.be/x"]}}, 3,
         "nothing is known; known are cytube:cytu.be/x"),
        ({"code": 504, "message": "too slow"}, 5, "too slow"),
        ({"code": 500, "message": "internal error 12\nx"}, 1, "internal error 12 x"),
    ],
)  # fmt: skip
async def test_refusals_end_with_their_own_codes(
    fresh_broker: Brokers, error: dict[str, Any], code: int, sentence: str
) -> None:
    await _answering(fresh_broker, {"success": False, "error": error})

    ran = await asyncio.to_thread(run, fresh_broker.folder, "leaderboard", "messages")

    assert ran == Ran(code, "", f"query_cli.py: {sentence}\n")


async def test_a_key_that_the_broker_does_not_know_ends_with_6(fresh_broker: Brokers) -> None:
    seed = nkeys.from_seed(nkeys.encode_seed(b"x" * 32, nkeys.PREFIX_BYTE_USER)).seed
    key = fresh_broker.folder / "data/broker/keys/client.nk"
    key.write_bytes(seed)
    (fresh_broker.folder / "config.json").write_text("{}")

    ran = await asyncio.to_thread(run, fresh_broker.folder, "leaderboard", "messages")

    assert ran.code == 6
    assert "the broker does not accept the role client" in ran.err


def test_a_password_on_the_command_line_is_not_taken(stack: Stack) -> None:
    ran = stack.run("leaderboard", "messages", "--server", "nats://me:secret@localhost")

    assert ran.code == 2
    assert "secret" not in ran.err


def test_a_configuration_that_is_wrong_is_told_by_its_path(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"nats": {"server": ["nats://x"]}}')

    ran = run(tmp_path, "leaderboard", "messages")

    assert ran == Ran(1, "", "query_cli.py: $.nats.server: unknown setting; did you mean 'servers'?\n")


def test_a_disk_that_is_full_is_told(stack: Stack) -> None:
    done = subprocess.run(
        ["bash", "-c", f"'{sys.executable}' '{PROGRAM}' leaderboard messages > /dev/full"],
        cwd=stack.folder, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip

    assert (done.returncode, done.stderr) == (1, "query_cli.py: No space left on device\n")


# --- changes ---


def test_what_changes_something_wants_yes_where_nobody_can_be_asked(stack: Stack) -> None:
    refused = stack.run("phrase", "add", "bravo")
    added = stack.run("phrase", "add", "bravo", "--yes", "--json")
    removed = stack.run("phrase", "delete", "bravo", "-y", "--json")

    assert refused == Ran(2, "", (
        "query_cli.py: phrase add 'bravo': this changes something; say --yes where nobody can be asked\n"
    ))  # fmt: skip
    assert json.loads(added.out)["data"] == {"changed": True, "message": "Added kudos phrase 'bravo'"}
    assert json.loads(removed.out)["data"] == {"changed": True, "message": "Removed kudos phrase 'bravo'"}


def test_at_a_terminal_what_changes_something_asks_first(stack: Stack) -> None:
    declined = at_terminal(stack.folder, "alias", "add", "Alice", "ally", typed="n\n")
    agreed = at_terminal(stack.folder, "alias", "add", "Alice", "ally", typed="y\n")
    known = stack.run("alias", "find", "ALLY", "--json")
    undone = stack.run("alias", "remove", "ally", "--yes")

    assert declined.code == 1
    assert "alias add 'Alice' 'ally': do it? [y/N]" in declined.out
    assert "nothing was changed" in declined.out
    assert agreed.code == 0
    assert json.loads(known.out)["data"] == {"alias": "ALLY", "username": "Alice"}
    assert undone.code == 0


# --- words and options ---


def command(*words: str) -> Command:
    found = read(words, KNOWN, "query_cli.py", {})
    assert isinstance(found, Command)
    return found


@pytest.mark.parametrize("name", sorted(ASKED))
def test_every_question_can_be_asked_with_every_parameter_in_any_order(name: str) -> None:
    noun, verb = name.split(".")
    own = parameters(ASKED[name], noun)
    example = {"integer": "7", "number": "1.5", "array": "a,b", "json": "[7]", "string": "x"}
    words = [one.choices[0] if one.choices else example[one.kind] for one in own]
    options = [part for one, word in zip(own, words, strict=True) if not one.required for part in (one.option, word)]
    required = [word for one, word in zip(own, words, strict=True) if one.required]

    asked = command("--json", noun, *options, verb, *required)

    assert asked.asked.question.name == name
    assert set(asked.values) == {one.name for one in own}
    assert command(noun, verb, *required, *options).values == asked.values
    assert asked.options.format == "json"


@pytest.mark.parametrize("name", sorted(ASKED))
def test_every_question_has_a_help_and_no_parameter_that_hides_a_global_option(name: str) -> None:
    noun, verb = name.split(".")
    own = {one.option for one in parameters(ASKED[name], noun)}

    shown = read([noun, verb, "--help"], KNOWN, "query_cli.py", {})

    assert isinstance(shown, Help)
    assert (shown.code, shown.text.splitlines()[2]) == (0, KNOWN.questions[name].help)
    assert own & {flag for one in FLAGS for flag in one.names} == set()


@pytest.mark.parametrize("form", [one for one in forms.FORMS if one.question in KNOWN.questions])
def test_a_form_means_its_question_and_hides_no_verb(form: forms.Form) -> None:
    verb = form.verb.replace(forms.ANY, "somebody")
    words = [one.name for one in parameters(ASKED[form.question], form.noun) if one.required]

    said = command(form.noun, verb, *(words if form.verb != forms.ANY else words[1:]))

    assert said.asked.question.name == form.question
    assert f"{form.noun}.{form.verb}" not in KNOWN.questions


@pytest.mark.parametrize("name", sorted(forms.SOURCES))
def test_names_for_completion_come_from_questions_that_exist(name: str) -> None:
    source = forms.SOURCES[name]

    assert source.column in json.dumps(ASKED[source.question].result_schema()) or source.column == "value"
    assert set(source.values) <= {one.name for one in parameters(ASKED[source.question], "")}


def test_a_word_that_begins_with_a_dash_is_a_name_after_two_dashes() -> None:
    assert command("user", "messages", "--tz", "UTC", "--", "-dash-").values == {"username": "-dash-", "tz": "UTC"}


def test_an_option_can_stand_before_the_noun_between_and_after() -> None:
    expected = {"channel": "Lounge", "limit": 3, "domain": "cytu.be"}

    assert command("--domain", "cytu.be", "channel", "--limit", "3", "media", "Lounge").values == expected
    assert command("channel", "media", "--limit=3", "Lounge", "--domain=cytu.be").values == expected
    assert command("channel", "media", "--channel", "Lounge", "--limit", "3", "--domain", "cytu.be").values == expected


def test_a_verb_wins_over_a_name() -> None:
    with pytest.raises(Trouble, match="username required"):
        command("user", "messages")
    assert command("user", "messages", "messages").values == {"username": "messages"}


# --- help, completion, start ---


def test_help_lists_every_noun_with_its_verbs_and_how_it_ends(tmp_path: Path) -> None:
    ran = run(tmp_path, "--help", COLUMNS="200")
    bare = run(tmp_path, COLUMNS="200")

    assert (ran.code, bare.code, bare.out, ran.out) == (0, 2, "", bare.err)
    assert all(
        re.search(rf"^  {name.split('.')[0]} .*\b{name.split('.')[1]}\b", ran.out, re.MULTILINE) for name in ASKED
    )
    assert "query_cli.py channel top 420grindhouse --limit 10" in ran.out
    assert "4 service unreachable" in ran.out


def test_help_needs_neither_the_client_of_nats_nor_a_validator() -> None:
    program = (
        "import sys; sys.argv[0] = 'query_cli.py'; import query_cli; code = query_cli.main(['--help']); "
        "print(code, sorted({'nats', 'aiohttp', 'jsonschema', 'prometheus_client'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)

    assert done.stdout.splitlines()[-1] == "0 []"


def test_the_program_can_be_read_by_pythons_too_old_to_run_it() -> None:
    ast.parse((ROOT / "query_cli.py").read_text(), feature_version=(3, 7))


def _bare_python() -> str:
    """The interpreter under our venv, without what is installed in the venv."""
    base = Path(sys.base_prefix) / "bin" / f"python{sys.version_info[0]}.{sys.version_info[1]}"
    probe = "import importlib.util as u, sys; sys.exit(bool(u.find_spec('msgspec') and u.find_spec('nats')))"
    return str(base) if base.exists() and subprocess.run([base, "-c", probe], check=False).returncode == 0 else ""


@pytest.mark.skipif(
    not _bare_python() or not (ROOT / ".venv").exists(), reason="needs a Python without our packages, and .venv"
)
def test_a_python_that_lacks_our_packages_hands_over_to_the_projects_own(stack: Stack) -> None:
    done = subprocess.run(
        [_bare_python(), PROGRAM, "leaderboard", "messages", *EVENING, "-q", "--limit", "1"],
        cwd=stack.folder, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip

    assert (done.returncode, done.stdout, done.stderr) == (0, "username  count\nAlice         4\n", "")


@pytest.fixture
def bash(stack: Stack, tmp_path: Path) -> Callable[..., list[str]]:
    """Presses TAB in a real bash: the words it would offer."""
    program = tmp_path / "query_cli.py"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{PROGRAM}" "$@"\n')
    program.chmod(0o755)

    def press(*words: str) -> list[str]:
        script = (
            f'eval "$("{program}" completion bash)"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _query_cli; '
            'printf "%s\\n" "${COMPREPLY[@]}"'
        )
        done = subprocess.run(
            ["bash", "-c", script, "bash", str(program), *words],
            cwd=stack.folder, capture_output=True, text=True, timeout=60, check=True,
        )  # fmt: skip
        return done.stdout.split()

    return press


def test_tab_completes_words_and_names_in_bash(bash: Callable[..., list[str]]) -> None:
    assert bash("leaderboard", "mes") == ["messages"]
    assert bash("user", "--timeout", "10", "ali") == ["Alice"]
    assert bash("channel", "media", "--timeout", "10", "") == ["grindhouse"]
    assert bash("leaderboard", "messages", "--timeout", "10", "--domain", "") == ["cytu.be"]


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["lea"], ["leaderboard"]),
        (["con"], ["consent", "config"]),
        (["--form"], ["--format"]),
        (["--format", "n"], ["ndjson"]),
        (["leaderboard", "--json", "mes"], ["messages"]),
        (["leaderboard", "messages", "--lim"], ["--limit"]),
        (["leaderboard", "messages", "--format", "n"], ["ndjson"]),
        (["channel", "heatmap", "--measure", "w"], ["words"]),
        (["completion", ""], ["bash", "zsh", "fish", "powershell"]),
        (["config", ""], ["check", "show"]),
        (["config", "check", ""], []),
        (["nonsense", "x"], []),
    ],
)
def test_tab_offers_what_may_follow(words: list[str], offered: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    extras = {"config": Extra(len, "about config.json", ("check", "show"))}

    candidates([f"--at={words[-1]}", *words[:-1]], Path(), extras)

    assert [line.split("\t")[0] for line in capsys.readouterr().out.splitlines()] == offered


def test_tab_offers_no_name_that_a_shell_would_execute(stack: Stack) -> None:
    bob, formula, bidi = (
        stack.run("__complete", f"--at={one}", "user", "messages", "--timeout", "10").out for one in ("b", "=1", "ev")
    )

    assert (bob, formula, bidi) == ("Bob\t\n", "", "")
    assert json.loads(stack.run("user", "search", "ev", "--format", "ndjson").out)["name"] == BIDI


def test_tab_offers_nothing_where_nobody_answers(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")

    assert run(tmp_path, "__complete", "--at=gr", "channel", "media") == Ran(0, "", "")


@pytest.mark.parametrize(("shell", "check"), [("bash", ["-n"]), ("zsh", ["-n"]), ("fish", ["--no-execute"])])
def test_the_scripts_are_read_by_their_shells(shell: str, check: list[str], tmp_path: Path) -> None:
    program = shutil.which(shell) or pytest.skip(f"{shell} is not here")
    script = tmp_path / "script"
    script.write_text(run(tmp_path, "completion", shell).out)

    assert subprocess.run([program, *check, str(script)], capture_output=True, check=False).stderr == b""


def test_the_script_for_powershell_is_plain_ascii_and_parses() -> None:
    from tree_sitter import Language, Parser  # noqa: PLC0415
    from tree_sitter_powershell import language  # noqa: PLC0415

    tree = Parser(Language(language())).parse(SCRIPTS["powershell"].encode("ascii"))

    assert not tree.root_node.has_error


async def _answering(broker: Brokers, body: dict[str, Any] | None) -> None:
    """Something in userstats' place that answers every question with this, or never."""
    (broker.folder / "config.json").write_text("{}")
    service = await broker.connect("userstats")

    async def answer(message: Msg) -> None:
        await message.respond(json.dumps(body).encode())

    async def wait(_: Msg) -> None:
        await asyncio.sleep(0)

    await service.subscribe(f"{subjects.QUERY_ROOT}.>", cb=answer if body else wait)
    await service.flush()


def _without_position(text: str) -> str:
    return re.sub(r"as of event \d+", "as of event N", text)
