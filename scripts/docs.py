"""Writes everything that is generated from the code, or with --check says what is stale.

Usage: python scripts/docs.py [--check]
"""

from __future__ import annotations

import sys
from pathlib import Path

if not __package__:
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from scripts import grafana, reference, reference_questions
from scripts.deploy import template
from userstats.contract import schema

ROOT = Path(__file__).resolve().parents[1]


def generated() -> dict[Path, str]:
    """Every generated file and its text."""
    questions = {ROOT / "docs" / "QUERY_ENDPOINTS.md": reference_questions.text()}
    return {**schema.generate(), **grafana.generated(), **reference.generated(), **template.generated(), **questions}


def main() -> int:
    """Exit code 1 when --check finds something stale."""
    check = "--check" in sys.argv[1:]
    texts = generated().items()
    stale = {path: text for path, text in texts if not path.exists() or path.read_text("utf-8") != text}
    for path, text in stale.items():
        print(f"{'stale' if check else 'written'}: {path.relative_to(ROOT)}")
        if not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
