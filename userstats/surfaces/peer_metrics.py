"""The metrics of kryten-userstats by their own names, each the sum of one of ours: what scrapes it goes on working.

They have no labels, and its counters have no `_total`. What it calls as we do (uptime, status, connections) is not
here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Literal, NamedTuple

Samples = Sequence[tuple[tuple[str, ...], float]]
"""Of one metric: label values in the order of its labels, and the number."""


class Peer(NamedTuple):
    """One of its metrics."""

    type: Literal["gauge", "counter"]
    help: str
    of: str
    """Ours."""
    label: str = ""
    """Only samples with this label value."""


PEER: Final[Mapping[str, Peer]] = {
    "userstats_total_users_tracked": Peer("gauge", "Total number of unique users tracked", "userstats_people"),
    "userstats_total_messages": Peer("counter", "Total messages across all channels", "userstats_messages_total"),
    "userstats_total_pms": Peer("counter", "Total private messages sent", "userstats_private_messages_total"),
    "userstats_total_kudos": Peer("counter", "Total kudos given (all types)", "userstats_kudos_total"),
    "userstats_total_kudos_plusplus": Peer("counter", "Total ++ kudos given", "userstats_kudos_total", "plusplus"),
    "userstats_total_kudos_phrases": Peer(
        "counter", "Total phrase-based kudos given", "userstats_kudos_total", "phrase"
    ),
    "userstats_total_emote_usage": Peer("counter", "Total emote uses", "userstats_emotes_total"),
    "userstats_total_media_changes": Peer("counter", "Total media changes logged", "userstats_media_total"),
    "userstats_active_sessions": Peer("gauge", "Currently active user sessions", "userstats_present"),
}  # fmt: skip


def number(peer: Peer, samples: Mapping[str, Samples]) -> int:
    """What the peer's metric shows now; 0 where nothing was counted yet."""
    return int(sum(value for labels, value in samples[peer.of] if not peer.label or peer.label in labels))


def lines(samples: Mapping[str, Samples]) -> str:
    """The peer's metrics in Prometheus' text format; those are left out whose own metric could not be read.

    By hand: the client library would append `_total` to the counters.
    """
    return "".join(
        f"# HELP {name} {peer.help}\n# TYPE {name} {peer.type}\n{name} {number(peer, samples)}\n"
        for name, peer in PEER.items()
        if peer.of in samples
    )
