BeforeAll {
    $modulePath = Join-Path $PSScriptRoot '../../out/FunctionBuild'
    Import-Module $modulePath
    Import-Module (Join-Path $PSScriptRoot 'Fixtures.psm1')
    $oldRoot = $env:FUNCTIONBUILD_WORKSPACE_ROOT
    $env:FUNCTIONBUILD_WORKSPACE_ROOT = Join-Path $TestDrive 'workspaces'

    # This PowerShell's own program; installed as a .NET tool, it is an assembly that dotnet runs.
    $program = [Environment]::ProcessPath
    $arguments = @('-NoProfile', '-NonInteractive', '-Command')
    if ((Split-Path $program -LeafBase) -eq 'dotnet') {
        $arguments = @([Environment]::GetCommandLineArgs()[0]) + $arguments
    }

    # Runs a command in a session of its own, with the module imported; what it wrote.
    function Invoke-Session([string] $Command) {
        & $program @arguments "Import-Module '$modulePath'; $Command"
    }

    # Starts a session that makes a workspace and does not end by itself; its process and the workspace's path.
    function Start-Session {
        $start = [Diagnostics.ProcessStartInfo]::new($program)
        $start.RedirectStandardOutput = $true
        ($arguments + "Import-Module '$modulePath'; (New-BuildWorkspace).Path; Start-Sleep 60").ForEach({ $start.ArgumentList.Add($_) })
        $process = [Diagnostics.Process]::Start($start)
        [pscustomobject] @{ Process = $process; Path = $process.StandardOutput.ReadLine() }
    }
}

AfterAll {
    Remove-Module FunctionBuild, Fixtures
    $env:FUNCTIONBUILD_WORKSPACE_ROOT = $oldRoot
}

Describe 'Workspaces' {
    AfterEach {
        Get-BuildWorkspace | Remove-BuildWorkspace
    }

    It 'are made where the environment says, for their owner only' {
        $workspace = New-BuildWorkspace
        Split-Path $workspace.Path | Should -Be $env:FUNCTIONBUILD_WORKSPACE_ROOT
        $workspace.State | Should -Be 'Open'
        if (-not $IsWindows) {
            (Get-Item $workspace.Path).UnixFileMode | Should -Be 'UserExecute, UserWrite, UserRead'
        }
    }

    It 'are removed by any object that has one, more than once' {
        $images = Import-FunctionTarball (New-TestTarball $TestDrive 'function-a')
        $images | Remove-BuildWorkspace
        $images | Remove-BuildWorkspace
        $images.Workspace.State | Should -Be 'Removed'
        Test-Path $images.Workspace.Path | Should -BeFalse
    }

    It 'that are gone are named by what needs them' {
        $images = Import-FunctionTarball (New-TestTarball $TestDrive 'function-a')
        $images | Remove-BuildWorkspace
        $images | Build-FunctionImage ghcr.io/acme/platform -ErrorAction SilentlyContinue -ErrorVariable failed
        $failed[0].FullyQualifiedErrorId | Should -BeLike 'WorkspaceRemoved,*'
        $failed[0].Exception.Message | Should -BeLike "*$($images.Workspace.Id)*"
    }

    It 'go when the module goes' {
        $path = Invoke-Session '$w = New-BuildWorkspace; Remove-Module FunctionBuild; $w.Path; [IO.Directory]::Exists($w.Path)'
        $path[0] | Should -BeLike "$env:FUNCTIONBUILD_WORKSPACE_ROOT*"
        $path[1] | Should -Be 'False'
    }

    It 'go when the module goes, though runspaces that are gone had it too' {
        $path = Invoke-Session @"
            `$w = New-BuildWorkspace
            1..3 | ForEach-Object -Parallel { Import-Module '$modulePath' }
            [IO.Directory]::Exists(`$w.Path)
            Remove-Module FunctionBuild
            [IO.Directory]::Exists(`$w.Path)
"@
        $path | Should -Be 'True', 'False'
    }

    It 'of a module that nests this one go when the session ends, though this one was removed' {
        $nesting = Join-Path $TestDrive 'nesting.psm1'
        Set-Content $nesting "Import-Module '$modulePath'; function New-NestedWorkspace { New-BuildWorkspace }"
        $path = Invoke-Session "Import-Module '$nesting'; Remove-Module FunctionBuild; `$w = New-NestedWorkspace; `$w.Path; [IO.Directory]::Exists(`$w.Path)"
        $path[1] | Should -Be 'True'
        Test-Path $path[0] | Should -BeFalse
    }

    It 'go when the session ends: <_>' -ForEach 'by itself', 'exit 3', 'throw 1' {
        $path = Invoke-Session "(New-BuildWorkspace).Path; $($_ -replace 'by itself')" 2>$null
        $path | Should -BeLike "$env:FUNCTIONBUILD_WORKSPACE_ROOT*"
        Test-Path $path | Should -BeFalse
    }

    It 'go when the session is told to end by SIG<_>' -Skip:$IsWindows -ForEach 'TERM', 'HUP' {
        $session = Start-Session
        Test-Path $session.Path | Should -BeTrue
        & kill "-$_" $session.Process.Id
        $session.Process.WaitForExit()
        Test-Path $session.Path | Should -BeFalse
    }

    It 'of a killed session are removed by the next import, and those of a live one are not' {
        $session = Start-Session
        Stop-Process -Id $session.Process.Id -Force
        $session.Process.WaitForExit()
        Test-Path $session.Path | Should -BeTrue
        $mine = New-BuildWorkspace
        (Get-BuildWorkspace -Stale).Path | Should -Be $session.Path

        $tarball = New-TestTarball $TestDrive 'function-a'
        $null = Invoke-Session "Import-FunctionTarball '$tarball'"

        Test-Path $session.Path | Should -BeFalse
        Test-Path $mine.Path | Should -BeTrue
    }

    It 'of a killed session are removed by the next import into a workspace beside them' {
        $elsewhere = Join-Path $TestDrive 'elsewhere'
        $killed = Join-Path $elsewhere 'functionbuild-a0000000'
        $null = New-Item (Join-Path $killed 'lock') -Force

        $tarball = New-TestTarball $TestDrive 'function-a'
        $null = Invoke-Session "Import-FunctionTarball '$tarball' -Workspace (New-BuildWorkspace '$elsewhere')"

        Test-Path $killed | Should -BeFalse
    }
}
