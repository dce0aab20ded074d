# Dot-sourced by the start scripts: makes the venv and installs the project into it, saying so.
# ASCII only: Windows PowerShell 5.1 reads files without a byte order mark in the local code page.
# After it, $Python is the venv's python.

$ErrorActionPreference = 'Stop'
$env:PYTHONUTF8 = '1'
$Root = Split-Path -Parent $PSScriptRoot
$Venv = if ($env:VENV) { $env:VENV } else { Join-Path $Root '.venv' }
$Python = Join-Path $Venv 'Scripts\python.exe'

if (-not (Test-Path $Python)) {
    $Base = if ($env:PYTHON) { $env:PYTHON } else { 'python' }
    if (-not (Get-Command $Base -ErrorAction SilentlyContinue)) {
        Write-Host "start: Python 3.11 or newer is needed, and there is no $Base"
        exit 1
    }
    & $Base -c 'import sys; sys.exit(sys.version_info < (3, 11))'
    if ($LASTEXITCODE -ne 0) {
        Write-Host "start: Python 3.11 or newer is needed. Set the environment variable PYTHON to a newer one."
        exit 1
    }
    Write-Host "  python      making $Venv"
    & $Base -m venv $Venv
    if ($LASTEXITCODE -ne 0) { exit 1 }
}

$Stamp = Join-Path $Venv '.installed'
$Project = Join-Path $Root 'pyproject.toml'
$Fresh = (Test-Path $Stamp) -and ((Get-Item $Stamp).LastWriteTimeUtc -ge (Get-Item $Project).LastWriteTimeUtc)
if (-not $Fresh) {
    Write-Host '  python      installing (about half a minute)'
    $InstallLog = Join-Path $Venv 'install.log'
    $ErrorActionPreference = 'Continue'
    & $Python -m pip install --disable-pip-version-check -e $Root *> $InstallLog
    $Failed = $LASTEXITCODE -ne 0
    $ErrorActionPreference = 'Stop'
    if ($Failed) {
        Get-Content $InstallLog -Tail 20
        Write-Host "start: the installation failed; all of it: $InstallLog"
        exit 1
    }
    Set-Content -Path $Stamp -Value 'installed' -Encoding ascii
}
