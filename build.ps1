#!/usr/bin/env pwsh
<#
.SYNOPSIS
Builds, tests and packs FunctionBuild: a thin front on dotnet.

.PARAMETER Task
Build lays the importable module out in out/FunctionBuild. Test runs all tests. Pack makes the module's archive and the
embedded host's tool package in out/packages. Clean removes what was built.

.PARAMETER Configuration
Release, or Debug.

.EXAMPLE
./build.ps1 -Task Build, Test
#>
[CmdletBinding()]
param(
    [ValidateSet('Build', 'Test', 'Pack', 'Clean')]
    [string[]] $Task = 'Build',

    [ValidateSet('Release', 'Debug')]
    [string] $Configuration = 'Release'
)

$ErrorActionPreference = 'Stop'
$PSNativeCommandUseErrorActionPreference = $true
Set-StrictMode -Version Latest
Push-Location $PSScriptRoot
try {
    switch ($Task) {
        'Build' {
            dotnet build --configuration $Configuration
        }
        'Test' {
            dotnet test --configuration $Configuration
        }
        'Pack' {
            dotnet build --configuration $Configuration
            dotnet pack src/FunctionBuild.Host --configuration $Configuration --no-build --output out/packages
            $version = (Import-PowerShellDataFile FunctionBuild.psd1).ModuleVersion
            Compress-Archive -Path out/FunctionBuild -DestinationPath "out/packages/FunctionBuild-$version.zip" -Force
        }
        'Clean' {
            dotnet clean --configuration $Configuration
            if (Test-Path out) { Remove-Item out -Recurse -Force }
        }
    }
}
finally {
    Pop-Location
}
