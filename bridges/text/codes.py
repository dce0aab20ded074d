"""A code that somebody typed to the bot to prove whose account this is: `!link ABCD-EFGH`, and nothing else."""

from __future__ import annotations

import re
from typing import Final

from .markup import typed

_LONGEST: Final = 200
"""Code points of a message that could be one."""
_TYPED: Final = re.compile(r"!link[ \t]+([A-Za-z0-9]{4}-?[A-Za-z0-9]{4})")


def link_code(html: str) -> str:
    """The code, if the message is exactly that; else an empty string."""
    if len(html) > _LONGEST or not html.lstrip().startswith("!link"):
        return ""
    found = _TYPED.fullmatch(typed(html).whole.strip())
    return found[1].replace("-", "").upper() if found else ""
