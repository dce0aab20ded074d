"""What the clients of the recorded frames saw, counted by reading the recordings."""

from __future__ import annotations

from typing import Any, NamedTuple


class View(NamedTuple):
    """What one client of one recording saw."""

    file: str
    client: str
    own: str
    before: tuple[str, ...]
    amounts_to: dict[str, Any]


VIEWS = [
    View(
        "01_join_anon_guest_registered",
        "bot",
        "BridgeBot",
        (),
        {
            "rosters": [3, 3],
            "joined": ["modmona"],
            "left": ["gus_guest", "pip-before", "viewer_vic"],
            "people": ["modmona"],
            "connected": 4,
        },
    ),
    View(
        "01_join_anon_guest_registered",
        "anon",
        "",
        (),
        {
            "rosters": [0],
            "joined": ["gus_guest", "pip-before", "viewer_vic", "bridgebot", "modmona"],
            "left": ["gus_guest"],
            "people": ["bridgebot", "modmona", "pip-before", "viewer_vic"],
            "connected": 5,
        },
    ),
    View(
        "02_chat",
        "bot",
        "BridgeBot",
        ("Viewer_Vic", "xX-oddCASE_Xx", "gus_GUEST", "ChanBoss", "SiteRoot"),
        {
            "messages": {"viewer_vic": 13, "chanboss": 4, "xx-oddcase_xx": 1, "gus_guest": 1, "siteroot": 1},
            "people": ["chanboss", "gus_guest", "siteroot", "viewer_vic", "xx-oddcase_xx"],
            "connected": 7,
        },
    ),
    View(
        "02_chat",
        "late",
        "",
        (),
        {
            "messages": {"viewer_vic": 10, "chanboss": 4, "siteroot": 1},
            "rosters": [6],
            "people": ["bridgebot", "chanboss", "gus_guest", "siteroot", "viewer_vic", "xx-oddcase_xx"],
        },
    ),
    View(
        "03_pm",
        "bot",
        "BridgeBot",
        ("Viewer_Vic", "xX-oddCASE_Xx", "gus_GUEST2"),
        {
            "private": {"viewer_vic": 3, "gus_guest2": 1},
            "people": ["gus_guest2", "viewer_vic", "xx-oddcase_xx"],
            "connected": 5,
        },
    ),
    View(
        "04_afk",
        "bot",
        "BridgeBot",
        ("Viewer_Vic", "xX-oddCASE_Xx", "ChanBoss"),
        {
            "messages": {"viewer_vic": 2, "xx-oddcase_xx": 1},
            "private": {"viewer_vic": 1},
            "joined": ["viewer_vic", "late_riser"],
            "left": ["viewer_vic"],
            "away": {"viewer_vic": 4, "xx-oddcase_xx": 2, "chanboss": 1},
            "back": {"viewer_vic": 2, "xx-oddcase_xx": 1},
            "people": ["chanboss", "late_riser", "viewer_vic", "xx-oddcase_xx"],
            "connected": 5,
        },
    ),
    View(
        "04_afk",
        "late",
        "",
        (),
        {
            "messages": {"viewer_vic": 2, "xx-oddcase_xx": 1},
            "rosters": [4],
            "joined": ["viewer_vic"],
            "left": ["viewer_vic"],
            "away": {"bridgebot": 1, "xx-oddcase_xx": 2, "chanboss": 1, "viewer_vic": 1},
            "back": {"xx-oddcase_xx": 1},
            "people": ["bridgebot", "chanboss", "viewer_vic", "xx-oddcase_xx"],
            "connected": 5,
        },
    ),
    View(
        "05_playlist_media",
        "bot",
        "BridgeBot",
        ("ChanBoss", "Viewer_Vic"),
        {
            "media": [
                ('Short film <5 min> & "more"', 12, "chanboss", False),
                ("Third Reel", 600, "chanboss", False),
                ("My embed & <co>", None, "chanboss", False),
                ("Long Feature", 5400, "chanboss", False),
                ("My embed & <co>", None, "chanboss", False),
                ("Livestream", None, "chanboss", False),
                ("Livestream", None, "chanboss", False),
                ("Livestream", None, "chanboss", True),
            ],
            "people": ["chanboss", "viewer_vic"],
            "connected": 4,
        },
    ),
    View(
        "05_playlist_media",
        "late",
        "",
        (),
        {
            "messages": {"viewer_vic": 2, "xx-oddcase_xx": 1},
            "rosters": [3],
            "media": [
                ("Third Reel", 600, "chanboss", True),
                ("My embed & <co>", None, "chanboss", False),
                ("Long Feature", 5400, "chanboss", False),
                ("My embed & <co>", None, "chanboss", False),
                ("Livestream", None, "chanboss", False),
                ("Livestream", None, "chanboss", False),
            ],
            "people": ["bridgebot", "chanboss", "viewer_vic"],
            "connected": 4,
        },
    ),
    View(
        "06_emotes_motd_opts",
        "bot",
        "BridgeBot",
        ("ChanBoss", "Viewer_Vic"),
        {
            "messages": {"viewer_vic": 2},
            "emotes": {":wave:": 1, "Kappa": 1},
            "left": ["viewer_vic"],
            "people": ["chanboss"],
            "connected": 3,
            "emote list": [":a:", ":b:"],
        },
    ),
    View(
        "07_polls_voteskip",
        "bot",
        "BridgeBot",
        ("ChanBoss", "Viewer_Vic", "gus_pollster"),
        {
            "left": ["gus_pollster"],
            "away": {"viewer_vic": 1},
            "back": {"viewer_vic": 1},
            "media": [("Livestream", None, "chanboss", False), ("Livestream", None, "chanboss", False)],
            "people": ["chanboss", "viewer_vic"],
            "connected": 4,
        },
    ),
    View(
        "08_moderation",
        "bot",
        "BridgeBot",
        ("Viewer_Vic", "xX-oddCASE_Xx", "ModMona", "ChanBoss"),
        {
            "joined": ["viewer_vic", "xx-oddcase_xx", "xx-oddcase_xx"],
            "left": ["viewer_vic", "xx-oddcase_xx", "xx-oddcase_xx", "xx-oddcase_xx", "viewer_vic"],
            "away": {"viewer_vic": 1},
            "back": {"viewer_vic": 1},
            "people": ["chanboss", "modmona"],
        },
    ),
    View(
        "09_errors_limits",
        "bot",
        "BridgeBot",
        (),
        {
            "messages": {"viewer_vic": 4},
            "joined": ["guesty", "viewer_vic", "fresh_face", "masked"],
            "people": ["fresh_face", "guesty", "masked", "viewer_vic"],
        },
    ),
    View("09_errors_limits", "c4", "", (), {"verdict": "refused"}),
    View(
        "10_password_channel",
        "a",
        "Door_Guest",
        (),
        {
            "rosters": [1],
            "left": ["chanboss"],
            "joined": ["chanboss", "quick_guest"],
            "people": ["chanboss", "quick_guest"],
        },
    ),
    View("10_password_channel", "c", "Viewer_Vic", (), {"door": "wrong password"}),
    View(
        "11_duplicate_login",
        "bot",
        "BridgeBot",
        ("Viewer_Vic", "Dup_Guest"),
        {
            "joined": ["viewer_vic", "viewer_vic", "dup_guest"],
            "left": ["viewer_vic", "viewer_vic", "dup_guest"],
            "people": ["dup_guest", "viewer_vic"],
            "verdict": "replaced",
        },
    ),
    View(
        "12_restart_reconnect",
        "bot",
        "BridgeBot",
        ("Viewer_Vic", "ChanBoss"),
        {
            "messages": {"viewer_vic": 2},
            "rosters": [0, 0, 0, 0],
            "joined": ["viewer_vic"],
            "away": {"viewer_vic": 2},
            "back": {"viewer_vic": 1},
            "connected": 1,
            "emote list": [":a:", ":b:"],
            "verdict": "lost",
        },
    ),
    View("14_announce_profile", "bot", "BridgeBot", ("Viewer_Vic",), {"people": ["viewer_vic"]}),
    View("15_wire_level", "boss", "ChanBoss", (), {"rosters": [0, 0], "connected": 1}),
    View("18_ip_connection_limit", "n10", "", (), {"verdict": "refused"}),
    View("19_login_then_join", "bot1", "BridgeBot", (), {"rosters": [1, 1], "people": ["modmona"]}),
    View(
        "19_login_then_join",
        "mona",
        "ModMona",
        (),
        {
            "joined": ["bridgebot", "bridgebot", "bridgebot", "guestbot", "guestbot"],
            "left": ["bridgebot", "bridgebot", "bridgebot", "guestbot", "guestbot"],
            "connected": 2,
        },
    ),
    View("21_in_rate_limit_kick", "gus", "Flood_Guest", (), {"rosters": [0], "connected": 1, "verdict": "refused"}),
]
