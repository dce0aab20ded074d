"""Where everything said is held against Discord's schemas, if they are there."""

from __future__ import annotations

from collections.abc import Mapping

from .judge import Judge


class Court:
    """Collects violations; without a judge there are none."""

    def __init__(self, judge: Judge | None) -> None:
        self.judge = judge
        self.violations: list[str] = []

    @property
    def unknown(self) -> list[str]:
        """Fields that Discord's documents do not know."""
        return [] if self.judge is None else self.judge.unknown

    def request(
        self, method: str, template: str, body: object, content_type: str, query: Mapping[str, str]
    ) -> list[str]:
        """The client's; the real service refuses what is returned here."""
        if self.judge is None:
            return []
        found = self.judge.request(method, template, body, content_type=content_type, query=query)
        return self._noted(f"{method} {template}", found)

    def response(self, method: str, template: str, status: int, body: object) -> None:
        """Ours."""
        if self.judge is not None:
            self._noted(f"{method} {template} -> {status}", self.judge.response(method, template, status, body))

    def dispatch(self, event: str, data: object) -> None:
        """Ours."""
        if self.judge is not None:
            self._noted(event, self.judge.dispatch(event, data))

    def _noted(self, where: str, found: list[str]) -> list[str]:
        told = [f"{where}: {each}" for each in found]
        self.violations += told
        return told
