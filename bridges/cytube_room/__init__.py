"""What CyTube's frames mean: shared by the bridge that listens to CyTube itself and the one that listens to a robot."""

from .channels import AUTO_VIA, GIVEN_ROOMS, PLATFORM, Channel, Site, parse_channel, place_of, site
from .linking import Linking
from .normalise import HEARD, frame, overflowed, told_again
from .room import Login, Room, Verdict, beat_events, enter

__all__ = [
    "AUTO_VIA", "GIVEN_ROOMS", "HEARD", "PLATFORM", "Channel", "Linking", "Login", "Room", "Site", "Verdict",
    "beat_events", "enter", "frame", "overflowed", "parse_channel", "place_of", "site", "told_again",
]  # fmt: skip
