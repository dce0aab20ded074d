# Starts userstats, and a broker where none is configured, but no bridges.
# Usage: .\scripts\start-userstats.ps1 [-ConfigFile config.json] [-Background | -Stop | -Status]
param(
    [Parameter(Position = 0)][string]$ConfigFile = 'config.json',
    [switch]$Background,
    [switch]$Stop,
    [switch]$Status
)

. (Join-Path $PSScriptRoot 'prepare.ps1')

$Words = @((Join-Path $PSScriptRoot 'up.py'), '--only', 'userstats', $ConfigFile)
if ($Background) { $Words += '--background' }
if ($Stop) { $Words += '--stop' }
if ($Status) { $Words += '--status' }
& $Python @Words
exit $LASTEXITCODE
