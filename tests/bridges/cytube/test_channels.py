"""How rooms are written in config.json and on the command line."""

from __future__ import annotations

import re

import pytest

from bridges.bridge import Bridge
from bridges.cytube import Channel, Cytube, bridges, parse_channel, rooms
from bridges.cytube.client import guest_name
from bridges.cytube_room import AUTO_VIA, GIVEN_ROOMS, place_of, site
from userstats.contract.config import ConfigError, from_document
from userstats.contract.events import Place
from userstats.contract.pseudonym import Pseudonyms

ADDRESSES = [
    ("cytu.be/r/Lounge", "cytu.be", "Lounge"),
    ("cytu.be/Lounge", "cytu.be", "Lounge"),
    ("https://cytu.be/r/Lounge/", "https://cytu.be", "Lounge"),
    ("https://cytu.be/r/Lounge?x=1#top", "https://cytu.be", "Lounge"),
    ("http://127.0.0.1:1337/room_1", "http://127.0.0.1:1337", "room_1"),
    (" localhost:8080/c/my-room ", "localhost:8080", "my-room"),
]


@pytest.mark.parametrize(("address", "domain", "channel"), ADDRESSES)
def test_an_address_is_a_site_and_a_room(address: str, domain: str, channel: str) -> None:
    assert parse_channel(address) == Channel(domain=domain, channel=channel)


@pytest.mark.parametrize(
    "address",
    ["", "Lounge", "cytu.be", "cytu.be/", "cytu.be/x/Lounge", "cytu.be/r/a/b", "ftp://cytu.be/r/x", "cytu.be/r/b n",
     "me:secret@cytu.be/r/x", "cytu.be:99999/x", "cytu.be:x/x", "http://[::1/x", "cytu.be/" + "x" * 31, "/r/x"],
)  # fmt: skip
def test_what_is_no_address_of_a_room_is_said_without_repeating_it(address: str) -> None:
    with pytest.raises(ValueError) as raised:
        parse_channel(address)

    assert "secret" not in str(raised.value)


SITES = [
    ("cytu.be", "https://cytu.be", "cytu.be"),
    ("Cytu.BE", "https://cytu.be", "cytu.be"),
    ("https://cytu.be:443/", "https://cytu.be", "cytu.be"),
    ("http://cytu.be:80", "http://cytu.be", "cytu.be"),
    ("cytu.be:8443", "https://cytu.be:8443", "cytu.be:8443"),
    ("localhost:8080", "http://localhost:8080", "localhost:8080"),
    ("127.0.0.1:1337", "http://127.0.0.1:1337", "127.0.0.1:1337"),
    ("http://[::1]:1337", "http://[::1]:1337", "[::1]:1337"),
]


@pytest.mark.parametrize(("domain", "origin", "space"), SITES)
def test_a_domain_is_an_origin_to_connect_to_and_a_space_to_be_called_by(domain: str, origin: str, space: str) -> None:
    assert site(domain) == (origin, space)


def test_g19_a_room_is_one_place_however_it_is_spelled() -> None:
    places = {
        place_of(Channel(domain=domain, channel=name))
        for domain, name in [("cytu.be", "Lounge"), ("CYTU.be", "lOUNGE")]
    }

    assert places == {Place(platform="cytube", space="cytu.be", channel="lounge")}


def test_the_seeds_configuration_makes_a_bridge_for_each_channel() -> None:
    config = from_document(
        {
            "channels": [
                {"domain": "cytu.be", "channel": "420Grindhouse"},
                {"domain": "cytu.be", "channel": "robot_room", "via": "kryten"},
                {"domain": "localhost:8080", "channel": "locked", "password": "open sesame", "via": "cytube"},
            ],
            "cytube": {"name": "StatsBot", "password": "hunter2", "ping_timeout": 20},
        }
    )
    found = bridges(config)

    def told(bridge: Bridge) -> tuple[str, str, str]:
        return bridge.name, bridge.place.space, bridge.place.channel

    assert list(map(told, found)) == [
        ("cytube", "cytu.be", "420grindhouse"),
        ("cytube", "localhost:8080", "locked"),
    ]


def test_a_channel_that_cannot_be_is_named_by_its_path() -> None:
    channels = [Channel(domain="cytu.be", channel="a"), Channel(domain="cytu.be/x", channel="a")]
    with pytest.raises(ConfigError) as raised:
        rooms(Cytube(), channels)

    assert str(raised.value) == "$.channels[1]: a site is a host and perhaps a port, without a path"


def test_a_channel_that_is_listed_twice_is_named_by_its_path() -> None:
    with pytest.raises(ConfigError) as raised:
        rooms(Cytube(), [Channel(domain="cytu.be", channel="a"), Channel(domain="https://cytu.be", channel="A")])

    assert str(raised.value) == "$.channels[1]: this room is listed twice"


def test_no_password_is_shown_where_settings_are_shown() -> None:
    shown = repr((Cytube(name="StatsBot", password="hunter2"), Channel(domain="a", channel="b", password="sesame")))

    assert shown == "(Cytube(name='StatsBot'), Channel('a', 'b', via='auto'))"


CHANNELS = {
    "channels": [
        {"domain": "cytu.be", "channel": "either"},
        {"domain": "cytu.be", "channel": "ours", "via": "cytube"},
        {"domain": "cytu.be", "channel": "theirs", "via": "kryten"},
    ]
}


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, ["either", "ours"]),
        ({AUTO_VIA: "cytube"}, ["either", "ours"]),
        ({AUTO_VIA: "kryten"}, ["ours"]),
        ({GIVEN_ROOMS: "[]"}, ["either", "ours"]),
        ({AUTO_VIA: "kryten", GIVEN_ROOMS: '["cytu.be/r/Ours", "cytu.be/r/More"]'}, ["ours", "more"]),
    ],
)
def test_who_listens_is_decided_by_via_and_the_command_line_adds_rooms(
    environment: dict[str, str], expected: list[str]
) -> None:
    found = bridges(from_document(CHANNELS), environment)

    assert [bridge.place.channel for bridge in found] == expected


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("cytu.be/a", "must be a JSON list of rooms"),
        ('{"a": 1}', "must be a JSON list of rooms"),
        ("[1]", "must be a JSON list of rooms"),
        ('["nowhere"]', "the address of a room is SITE/ROOM or SITE/r/ROOM, for example cytu.be/r/NAME"),
    ],
)
def test_rooms_of_the_command_line_that_cannot_be_are_refused(given: str, said: str) -> None:
    with pytest.raises(ConfigError) as raised:
        bridges(from_document({}), {GIVEN_ROOMS: given})

    assert str(raised.value) == f"{GIVEN_ROOMS}: {said}"


def test_a_guest_has_the_same_name_at_every_start_and_another_one_in_each_installation() -> None:
    names = [guest_name(Pseudonyms(key * 16)) for key in (b"a", b"a", b"b")]

    assert names[0] == names[1] != names[2]
    assert all(re.fullmatch(r"stats_[0-9a-f]{6}", name) for name in names)
