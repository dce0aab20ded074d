#!/usr/bin/env python3
"""Asks a running userstats from the shell: `query_cli.py --help` says what.

Also started by a Python that lacks our packages, or is too old: then the project's own one (.venv) takes over.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from typing import List, Optional, Sequence  # noqa: UP035  (this file must load in old Pythons, to leave them)

HOME = Path(__file__).resolve().parent
_NEEDED = ("msgspec", "nats")


def main(words: Optional[List[str]] = None) -> int:  # noqa: UP006, UP045
    """Run one command line and return its exit code (see `userstats/surfaces/cli/exits.py`)."""
    given = sys.argv[1:] if words is None else words
    other = _better_python()
    if other:
        return _hand_over(other, given)
    from userstats.surfaces.cli.extras import Extra  # noqa: PLC0415
    from userstats.surfaces.cli.run import main as run  # noqa: PLC0415

    config = Extra(
        _config, "check config.json, or show what every setting is and where it comes from", ("check", "show")
    )
    return run(given, Path(sys.argv[0]).name or "query_cli.py", HOME, {"config": config})


def _config(words: Sequence[str]) -> int:
    if not (HOME / "scripts").is_dir():
        print("query_cli.py: config needs the project's folder; only the package is installed here", file=sys.stderr)
        return 1
    if str(HOME) not in sys.path:
        sys.path.append(str(HOME))
    from scripts.config_command import command  # noqa: PLC0415

    return command(words, Path.cwd(), HOME)


def _better_python() -> Optional[Path]:  # noqa: UP045
    """The project's own Python, where this one cannot run us."""
    if sys.version_info >= (3, 11) and all(importlib.util.find_spec(name) for name in _NEEDED):
        return None
    folder = HOME / ".venv"
    other = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    return other if other.exists() and Path(sys.prefix).resolve() != folder.resolve() else None


def _hand_over(python: Path, words: Sequence[str]) -> int:
    command = [str(python), str(HOME / "query_cli.py"), *words]
    if os.name != "nt":  # there exec would return to the shell at once
        os.execv(str(python), command)  # noqa: S606
    return subprocess.run(command, check=False).returncode  # noqa: S603


if __name__ == "__main__":
    sys.exit(main())
