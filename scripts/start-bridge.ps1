# Starts one bridge against a broker that runs already.
# Usage: .\scripts\start-bridge.ps1 cytube|kryten|demo [-ConfigFile config.json] [-Background | -Stop | -Status]
param(
    [Parameter(Position = 0, Mandatory = $true)][ValidateSet('cytube', 'kryten', 'demo')][string]$Bridge,
    [Parameter(Position = 1)][string]$ConfigFile = 'config.json',
    [switch]$Background,
    [switch]$Stop,
    [switch]$Status
)

. (Join-Path $PSScriptRoot 'prepare.ps1')

$Words = @((Join-Path $PSScriptRoot 'up.py'), '--only', 'bridge', '--bridge', $Bridge, $ConfigFile)
if ($Background) { $Words += '--background' }
if ($Stop) { $Words += '--stop' }
if ($Status) { $Words += '--status' }
& $Python @Words
exit $LASTEXITCODE
