"""The stand-in CyTube does what the recorded real server did, frame by frame, and what tests ask of it."""

from __future__ import annotations

import json
from collections.abc import Iterable

import pytest

from .cytube import Settings, StandIn
from .cytube.frames import Json
from .listener import Listener
from .recorded import FRAMES, Scenario, act, recorded, stage

needs_frames = pytest.mark.skipif(not FRAMES.is_dir(), reason="the recorded frames are not beside the project")

INSIDE = {"bot": "BridgeBot", "boss": "ChanBoss", "vic": "Viewer_Vic", "odd": "xX-oddCASE_Xx"}
SCENARIOS = (
    Scenario("01_join_anon_guest_registered.jsonl", until="scenario over", silent=("usercount",)),
    Scenario(
        "02_chat.jsonl", present={**INSIDE, "gus": "gus_GUEST", "root": "SiteRoot", "anon": ""}, silent=("usercount",)
    ),
    Scenario(
        "03_pm.jsonl",
        present={"bot": "BridgeBot", "vic": "Viewer_Vic", "odd": "xX-oddCASE_Xx", "gus": "gus_GUEST2", "anon": ""},
        until="PM burst",
        silent=("usercount",),
    ),
    Scenario(
        "04_afk.jsonl",
        present={"bot": "BridgeBot", "vic": "Viewer_Vic", "odd": "xX-oddCASE_Xx", "boss": "ChanBoss"},
        until="boss sets afk_timeout",
        silent=("usercount",),
    ),
    Scenario("06_emotes_motd_opts.jsonl", present=INSIDE, until="setMotd", silent=("usercount",)),
    Scenario(
        "08_moderation.jsonl",
        present={"bot": "BridgeBot", "boss": "ChanBoss", "mona": "ModMona", **INSIDE, "anon": ""},
        until="scenario over",
        silent=("usercount",),
    ),
    Scenario(
        "09_errors_limits.jsonl",
        present={"bot": "BridgeBot", "boss": "ChanBoss"},
        until="chat_antiflood",
        silent=("usercount",),
        settings={"guest_login_delay": 60},
        same_address={"c2": "c1"},
        other_passwords=("ChanBoss",),
    ),
    Scenario(
        "10_password_channel.jsonl",
        channel="LockedRoom",
        password="open sesame",
        present={"boss": "ChanBoss"},
        until="channelOpts carries",
        silent=("usercount",),
    ),
    Scenario(
        "11_duplicate_login.jsonl",
        present={"bot": "BridgeBot", "vic": "Viewer_Vic", "gus": "Dup_Guest"},
        until="scenario over",
        silent=("usercount",),
    ),
    Scenario(
        "19_login_then_join.jsonl",
        present={"mona": "ModMona"},
        until="registered bot (rank 3): login first, joinChannel after the login answer; run 2",
        settings={"slow_rank": True},
    ),
)


@needs_frames
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.file)
async def test_everybody_hears_what_the_recorded_clients_heard(scenario: Scenario) -> None:
    async with stage(scenario) as site:
        assert await act(site, scenario) == recorded(scenario)


def visits(client: str, file: str) -> list[list[tuple[str, list[Json]]]]:
    """What a client of a recording heard, cut after each `@disconnect`."""
    heard: list[list[tuple[str, list[Json]]]] = [[]]
    for line in map(json.loads, (FRAMES / file).read_text("utf-8").splitlines()):
        if line["client"] == client and (line["dir"] == "in" or line["event"] == "@disconnect"):
            heard[-1].append((line["event"], line["args"]))
            heard += [[]] * (line["event"] == "@disconnect")
            heard[-1] = list(heard[-1])
    return [visit for visit in heard if visit]


def until(event: str, visit: list[tuple[str, list[Json]]]) -> list[str]:
    """The names of a visit's events up to the first such one, with it."""
    names = [name for name, _ in visit]
    return names[: names.index(event) + 1]


def only(wanted: Iterable[str], names: Iterable[str]) -> list[str]:
    """The names that are among the wanted ones."""
    known = frozenset(wanted)
    return [name for name in names if name in known]


@needs_frames
async def test_somebody_who_joins_during_a_film_hears_it_as_recorded() -> None:
    names = until("usercount", visits("late", "05_playlist_media.jsonl")[0])
    async with StandIn(Settings(usercount_every=0)) as site:
        room = site.room("bridgetest")
        vic = await room.enter("Viewer_Vic")
        for _ in range(3):
            await vic.say("line")
        await room.play("Third Reel", 600)
        async with Listener(site.url) as late:
            await late.join("bridgetest")
            await late.until("usercount")
            assert only(names, late.names) == names


@needs_frames
async def test_after_a_restart_an_account_hears_what_was_recorded() -> None:
    names = until("setUserRank", visits("bot", "12_restart_reconnect.jsonl")[1])
    async with StandIn(Settings(usercount_every=0)) as site:
        room = site.room("bridgetest")
        site.account("BridgeBot", "pw")
        room.grant("BridgeBot", 3)
        vic = await room.enter("Viewer_Vic")
        for number in range(15):
            await vic.say(f"bot {number}")
        await site.restart()
        async with Listener(site.url) as bot:
            await bot.send("joinChannel", {"name": "bridgetest"})
            await bot.send("login", {"name": "BridgeBot", "pw": "pw"})
            await bot.until("setUserRank")
            assert only(names, bot.names) == names


@needs_frames
@pytest.mark.parametrize("file", ["02_chat.jsonl", "04_afk.jsonl", "07_polls_voteskip.jsonl", "08_moderation.jsonl"])
async def test_a_replayed_recording_is_heard_frame_by_frame_after_a_burst(file: str) -> None:
    [frames] = visits("bot", file)
    async with StandIn() as site:
        recording = site.replay("bridgetest", FRAMES / file)
        async with Listener(site.url) as bot:
            await bot.join("bridgetest")
            await recording.over.wait()
            await bot.heard_so_many(len(frames) + 12)
            assert bot.heard[-len(frames) :] == frames
            assert bot.names[: -len(frames)][-3:] == ["playlist", "userlist", "usercount"]


@needs_frames
async def test_a_recording_that_has_its_burst_gets_no_other_one() -> None:
    file = "01_join_anon_guest_registered.jsonl"
    [frames] = visits("bot", file)
    async with StandIn() as site:
        site.replay("bridgetest", FRAMES / file)
        async with Listener(site.url) as bot:
            await bot.join("bridgetest")
            await bot.heard_so_many(len(frames) - 1)
            assert bot.heard == frames[:-1]


@needs_frames
async def test_a_recorded_reconnect_drops_the_connection_and_goes_on_at_the_next_join() -> None:
    file = "12_restart_reconnect.jsonl"
    async with StandIn() as site:
        recording = site.replay("bridgetest", FRAMES / file)
        for frames in visits("bot", file):
            async with Listener(site.url) as bot:
                await bot.send("joinChannel", {"name": "bridgetest"})
                await bot.until("@disconnect")
                assert bot.heard[-len(frames) :] == frames
        assert recording.over.is_set()
