"""The start scripts: sound shell, sound PowerShell, and the same words on both."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import tree_sitter
import tree_sitter_powershell

SCRIPTS = Path(__file__).parents[1] / "scripts"
SHELL = sorted(SCRIPTS.glob("*.sh"))
POWERSHELL = sorted(SCRIPTS.glob("*.ps1"))
SHELLCHECK = str(Path(sys.executable).with_name("shellcheck"))
STARTERS = ("start", "start-userstats", "start-bridge")
WORDS = {"-ConfigFile": "CONFIG", "-Demo": "--demo", "-Channel": "--channel", "-Background": "--background",
         "-Stop": "--stop", "-Status": "--status"}  # fmt: skip


@pytest.mark.parametrize("script", SHELL, ids=lambda path: path.name)
def test_shell_scripts_have_no_finding(script: Path) -> None:
    found = subprocess.run(
        [SHELLCHECK, "-x", f"scripts/{script.name}"], cwd=SCRIPTS.parent, capture_output=True, text=True, check=False
    )

    assert (found.stdout, found.returncode) == ("", 0)


@pytest.mark.parametrize("script", POWERSHELL, ids=lambda path: path.name)
def test_powershell_scripts_parse_and_are_plain_ascii(script: Path) -> None:
    source = script.read_bytes()
    parser = tree_sitter.Parser(tree_sitter.Language(tree_sitter_powershell.language()))

    assert source.isascii()
    assert not parser.parse(source).root_node.has_error


def test_the_powershell_check_finds_a_missing_bracket() -> None:
    parser = tree_sitter.Parser(tree_sitter.Language(tree_sitter_powershell.language()))

    assert parser.parse(b"if ($Stop) { Write-Host 'x'\n").root_node.has_error


@pytest.mark.parametrize("name", STARTERS)
def test_both_scripts_of_a_name_take_the_same_words(name: str) -> None:
    shell = (SCRIPTS / f"{name}.sh").read_text()
    powershell = (SCRIPTS / f"{name}.ps1").read_text()
    usage = re.search(r"# Usage: .*", shell)
    parameters = {f"-{word}" for word in re.findall(r"\]\$(\w+)", powershell)} - {"-Bridge"}

    assert usage is not None
    assert {WORDS[word] for word in parameters} == set(re.findall(r"--\w+|CONFIG", usage.group()))
