"""userstats in Kryten's world: its robot, services and clients find here what they ask of kryten-userstats."""

from .inquiry import World
from .life import Life
from .link import linked
from .surface import KrytenSurface

__all__ = ["KrytenSurface", "Life", "World", "linked"]
