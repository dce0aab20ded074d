# Starts everything: broker, userstats and the bridges of the configuration. Ctrl-C stops it all.
# Usage: .\scripts\start.ps1 [-ConfigFile config.json] [-Demo] [-Channel cytu.be/NAME] [-Background | -Stop | -Status]
# If scripts are not allowed to run: powershell -ExecutionPolicy Bypass -File .\scripts\start.ps1
param(
    [Parameter(Position = 0)][string]$ConfigFile = 'config.json',
    [switch]$Demo,
    [string[]]$Channel = @(),
    [switch]$Background,
    [switch]$Stop,
    [switch]$Status
)

. (Join-Path $PSScriptRoot 'prepare.ps1')

$Words = @((Join-Path $PSScriptRoot 'up.py'), $ConfigFile)
if ($Demo) { $Words += '--demo' }
foreach ($One in $Channel) { $Words += @('--channel', $One) }
if ($Background) { $Words += '--background' }
if ($Stop) { $Words += '--stop' }
if ($Status) { $Words += '--status' }
& $Python @Words
exit $LASTEXITCODE
