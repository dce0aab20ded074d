"""Which instance runs in a folder: `userstats.pid` (the pid and nothing else) and, beside the data, when it began.

A pid alone may belong to another program by now, so the process's own start time is kept and compared.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Final

STOP_SECONDS: Final = 40.0


class Instance:
    """What is known of the instance in this folder."""

    def __init__(self, folder: Path, name: str = "userstats") -> None:
        self.pid_file = folder / f"{name}.pid"
        self.log_file = folder / f"{name}.log"
        self.status_file = folder / "data" / f"{name}-running.json"

    def write(self, status: dict[str, object]) -> None:
        """Say that this process is the instance."""
        self.pid_file.write_text(f"{os.getpid()}\n", encoding="ascii")
        self.status_file.parent.mkdir(parents=True, exist_ok=True)
        document = {"pid": os.getpid(), "began": began(os.getpid()), **status}
        temporary = self.status_file.with_suffix(".new")
        temporary.write_text(json.dumps(document), encoding="utf-8")
        temporary.replace(self.status_file)

    def clear(self) -> None:
        """Say that there is none."""
        self.pid_file.unlink(missing_ok=True)
        self.status_file.unlink(missing_ok=True)

    def pid(self) -> int | None:
        """The running instance's pid; None where none runs."""
        try:
            pid = int(self.pid_file.read_text().split()[0])
            status = json.loads(self.status_file.read_text(encoding="utf-8"))
        except (OSError, ValueError, IndexError):
            return None
        same = status.get("pid") == pid and status.get("began") == began(pid)
        return pid if same and alive(pid) else None

    def status(self) -> dict[str, Any]:
        """What the running instance says of itself."""
        document: dict[str, Any] = json.loads(self.status_file.read_text(encoding="utf-8"))
        return document

    def stop(self) -> bool:
        """End the running instance and wait; False where none ran. Raises TimeoutError when it does not end."""
        pid = self.pid()
        if pid is None:
            self.clear()
            return False
        if sys.platform == "win32":
            subprocess.run(["taskkill", "/PID", str(pid), "/T"], check=False, capture_output=True)
        else:
            os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        while alive(pid):
            if time.monotonic() > deadline:
                raise TimeoutError(f"process {pid} does not end")
            time.sleep(0.1)
        self.clear()
        return True


def alive(pid: int) -> bool:
    """Whether a process with this pid runs."""
    if sys.platform == "win32":
        listed = subprocess.run(["tasklist", "/FI", f"PID eq {pid}", "/NH"], check=False, capture_output=True)
        return str(pid).encode() in listed.stdout
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return not _zombie(pid)


def _zombie(pid: int) -> bool:
    fields = _stat(pid)
    return bool(fields) and fields[0] == "Z"


def began(pid: int) -> str:
    """When the process began, in the kernel's own unit; empty where the platform does not tell."""
    fields = _stat(pid)
    return fields[19] if fields else ""


def _stat(pid: int) -> list[str]:
    """/proc/<pid>/stat after the command's name: state is field 0, start time field 19."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return []
    return text.rpartition(")")[2].split()
