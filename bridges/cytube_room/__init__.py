"""What CyTube's frames mean: shared by the bridge that listens to CyTube itself and the one that listens to a robot."""

from .channels import AUTO_VIA, GIVEN_ROOMS, PLATFORM, Channel, Site, parse_channel, place_of, site
from .normalise import HEARD, frame, overflowed
from .room import Login, Room, Verdict, beat_events, enter

__all__ = [
    "AUTO_VIA", "GIVEN_ROOMS", "HEARD", "PLATFORM", "Channel", "Login", "Room", "Site", "Verdict", "beat_events",
    "enter", "frame", "overflowed", "parse_channel", "place_of", "site",
]  # fmt: skip
