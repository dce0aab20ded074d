"""Scripts that teach a shell to complete our command lines; each asks `__complete`, which knows the catalogue.

A candidate may be a stranger's name: only harmless ones are offered (`completion.py`), and bash quotes them again.
"""

from __future__ import annotations

from typing import Final

_BASH: Final = """\
# bash: eval "$(query_cli.py completion bash)", or put this into ~/.local/share/bash-completion/completions/query_cli.py
_query_cli() {
    local line words=("${COMP_WORDS[@]:1:COMP_CWORD-1}")
    COMPREPLY=()
    while IFS= read -r line; do
        COMPREPLY+=("$(printf '%q' "${line%%$'\\t'*}")")
    done < <("${COMP_WORDS[0]}" __complete "--at=${COMP_WORDS[COMP_CWORD]}" "${words[@]}" 2>/dev/null)
}
complete -o default -F _query_cli query_cli.py ./query_cli.py userstats-query
"""

_ZSH: Final = """\
#compdef query_cli.py userstats-query
# zsh: put this into a file _query_cli in a folder of $fpath, or: source <(query_cli.py completion zsh)
_query_cli() {
    local -a found
    found=("${(@f)$("${words[1]}" __complete "--at=${words[CURRENT]}" "${(@)words[2,CURRENT-1]}" 2>/dev/null)}")
    found=("${(@)found%%$'\\t'*}")
    compadd -- "${(@)found:#}"
}
if [ "${funcstack[1]}" = _query_cli ]; then
    _query_cli "$@"
else
    compdef _query_cli query_cli.py userstats-query
fi
"""

_FISH: Final = """\
# fish: query_cli.py completion fish > ~/.config/fish/completions/query_cli.py.fish
function __query_cli
    set -l words (commandline -opc)
    set -l program $words[1]
    set -e words[1]
    set -l current (commandline -ct)
    $program __complete "--at=$current" $words 2>/dev/null
end
complete -c query_cli.py -f -a '(__query_cli)'
complete -c userstats-query -f -a '(__query_cli)'
"""

_POWERSHELL: Final = """\
# PowerShell: query_cli.py completion powershell | Out-String | Invoke-Expression   (for good: add it to $PROFILE)
Register-ArgumentCompleter -Native -CommandName 'query_cli.py', 'userstats-query' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $words = @($commandAst.CommandElements | ForEach-Object { $_.ToString() })
    $program = $words[0]
    $before = @($words | Select-Object -Skip 1)
    if ($wordToComplete -ne '' -and $before.Count -gt 0) {
        $before = @($before | Select-Object -SkipLast 1)
    }
    & $program __complete "--at=$wordToComplete" @before 2>$null | ForEach-Object {
        $text, $about = $_ -split "`t", 2
        if (-not $about) { $about = $text }
        [System.Management.Automation.CompletionResult]::new($text, $text, 'ParameterValue', $about)
    }
}
"""

SCRIPTS: Final = {"bash": _BASH, "zsh": _ZSH, "fish": _FISH, "powershell": _POWERSHELL}
