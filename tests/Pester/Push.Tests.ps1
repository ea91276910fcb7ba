BeforeDiscovery {
    $registryProgram = Get-Command docker-registry -CommandType Application -ErrorAction Ignore
}

BeforeAll {
    Import-Module (Join-Path $PSScriptRoot '../../out/FunctionBuild')
    Import-Module (Join-Path $PSScriptRoot 'Fixtures.psm1')
}

AfterAll {
    Remove-Module FunctionBuild, Fixtures
}

Describe 'From tarballs to a registry (needs docker-registry)' -Skip:(-not $registryProgram) {
    BeforeAll {
        $listener = [Net.Sockets.TcpListener]::new([Net.IPAddress]::Loopback, 0)
        $listener.Start()
        $port = $listener.LocalEndpoint.Port
        $listener.Stop()
        $registry = "127.0.0.1:$port"
        $configuration = Join-Path $TestDrive 'registry.yml'
        Set-Content $configuration @"
version: 0.1
log: {level: error}
storage: {filesystem: {rootdirectory: '$(Join-Path $TestDrive 'registry')'}}
http: {addr: '$registry'}
"@
        $process = Start-Process docker-registry -ArgumentList 'serve', $configuration -PassThru -RedirectStandardOutput "$TestDrive/registry.out" -RedirectStandardError "$TestDrive/registry.err"
        for ($attempt = 0; $attempt -lt 100 -and -not (Test-Connection 127.0.0.1 -TcpPort $port -Quiet); $attempt++) {
            Start-Sleep -Milliseconds 100
        }

        $build = New-Item -ItemType Directory (Join-Path $TestDrive 'build')
        foreach ($name in 'function-greet', 'function-hello') {
            foreach ($architecture in 'amd64', 'arm64') {
                New-TestTarball $build $name $architecture
            }
        }
        $functions = Import-FunctionTarball "$build/*" | Build-FunctionImage "$registry/acme/platform"
    }

    AfterAll {
        Get-BuildWorkspace | Remove-BuildWorkspace
        $process | Stop-Process
        $process | Wait-Process
    }

    It 'tags nothing with -WhatIf' {
        $functions | Push-FunctionImage -Tag v1 -WhatIf | Should -BeNullOrEmpty
        (Invoke-WebRequest "http://$registry/v2/acme/platform_function-hello/tags/list" -SkipHttpErrorCheck).StatusCode | Should -Be 404
    }

    It 'pushes each function, mounts what they share and gives results' {
        $results = $functions | Push-FunctionImage -Tag v1, latest
        $results.Name | Should -Be 'function-greet', 'function-hello'
        $results[1].Reference | Should -Be "$registry/acme/platform_function-hello:v1"
        ($results.BlobsMounted | Measure-Object -Sum).Sum | Should -BeGreaterThan 0
        (Invoke-RestMethod "http://$registry/v2/acme/platform_function-hello/tags/list").tags | Sort-Object | Should -Be 'latest', 'v1'
        $head = Invoke-WebRequest "http://$registry/v2/acme/platform_function-hello/manifests/latest" -Method Head -Headers @{ Accept = 'application/vnd.oci.image.index.v1+json' }
        "$($head.Headers['Docker-Content-Digest'])" | Should -Be "$($results[1].Digest)"
    }

    It 'shows references whole on a narrow screen, such as the log of a pipeline' {
        $results = $functions | Push-FunctionImage -Tag v1
        ($results | Out-String -Width 80) -replace '\s' | Should -Match ([regex]::Escape($results[1].Reference))
    }

    It 'sends nothing the second time' {
        $again = $functions | Push-FunctionImage -Tag v1
        ($again.BytesSent | Measure-Object -Sum).Sum | Should -Be 0
    }

    It 'hands the functions on with -PassThru' {
        $path = Join-Path $TestDrive 'platform.xpkg'
        $functions | Push-FunctionImage -Tag v1 -PassThru | Save-FunctionImage $path | Should -BeOfType [IO.FileInfo]
    }

    It 'pushes saved packages by path, with the same digests, and leaves no workspace' {
        $path = Join-Path $TestDrive 'saved.xpkg'
        $functions | Save-FunctionImage $path
        $before = @(Get-BuildWorkspace).Count
        $results = Get-Item $path | Push-FunctionImage -Tag v2
        $results.Digest.ForEach('ToString') | Should -Be $functions.Digest.ForEach('ToString')
        $results.Repository | Should -Be $functions.Repository
        ($results.BytesSent | Measure-Object -Sum).Sum | Should -Be 0
        @(Get-BuildWorkspace).Count | Should -Be $before
    }

    Context 'The pipelines of the README' {
        BeforeAll {
            # What an earlier step of the job leaves, and the file of a script as the runners make it.
            $pwsh = (Get-Command (Join-Path $PSHOME pwsh), pwsh -ErrorAction Ignore | Select-Object -First 1).Source
            $module = Join-Path $PSScriptRoot '../../out/FunctionBuild'
            $version = (Import-PowerShellDataFile "$module/FunctionBuild.psd1").ModuleVersion
            $tools = New-Item -ItemType Directory (Join-Path $TestDrive 'tools')
            Compress-Archive $module "$tools/FunctionBuild-$version.zip" -CompressionLevel NoCompression
            $readme = (Get-Content -Raw (Join-Path $PSScriptRoot '../../README.md')).ReplaceLineEndings("`n")
            $steps = [regex]::Matches($readme, '(?m)^ *(?:- )?(?<key>run|pwsh): \|\n(?<lines>(?<in> +)\S.*\n(?:\k<in>.*\n|\n)*)').Where{ $_.Value -match 'Push-FunctionImage' }
            function Invoke-Step([string] $Key, [hashtable] $Variables, [string] $Repository) {
                $step = $steps.Where{ $_.Groups['key'].Value -eq $Key }
                $step | Should -HaveCount 1
                $lines = $step[0].Groups['lines'].Value -replace '(?<=-Repository )\S+', $Repository
                $file = Join-Path $TestDrive "$Key.ps1"
                Set-Content $file "`$ErrorActionPreference = 'stop'`n$lines"
                Remove-Item (Join-Path $TestDrive 'modules') -Recurse -ErrorAction Ignore
                $start = @{
                    FilePath               = $pwsh
                    ArgumentList           = '-NoProfile', '-NonInteractive', '-Command', ". '$file'"
                    WorkingDirectory       = $TestDrive
                    Environment            = $Variables
                    RedirectStandardOutput = "$file.out"
                    RedirectStandardError  = "$file.err"
                }
                (Start-Process @start -Wait -PassThru).ExitCode
            }
        }

        It 'publishes by the step for <Name>' -ForEach @(
            @{ Name = 'GitHub Actions'; Key = 'run'; Tag = 'v5'; Variables = @{ TOKEN = 'secret'; GITHUB_ACTOR = 'releaser'; GITHUB_REF_NAME = 'v5' } }
            @{ Name = 'Azure Pipelines'; Key = 'pwsh'; Tag = '20260102.1'; Variables = @{ REGISTRY_USER = 'releaser'; REGISTRY_PASSWORD = 'secret'; BUILD_BUILDNUMBER = '20260102.1' } }
        ) {
            $exitCode = Invoke-Step $Key $Variables "$registry/readme/$Key"
            $exitCode | Should -Be 0 -Because (Get-Content -Raw "$TestDrive/$Key.ps1.err")
            foreach ($name in 'function-greet', 'function-hello') {
                (Invoke-RestMethod "http://$registry/v2/readme/${Key}_$name/tags/list").tags | Should -Be $Tag
            }
        }

        It 'fails the step when a push fails' {
            Invoke-Step run @{ TOKEN = 'secret'; GITHUB_ACTOR = 'releaser'; GITHUB_REF_NAME = 'feature/x' } "$registry/readme/failed" | Should -Not -Be 0
            ((Get-Content -Raw "$TestDrive/run.ps1.err") + (Get-Content -Raw "$TestDrive/run.ps1.out")) -replace '\e\[[\d;]*m|[\s|]' | Should -Match "'feature/x'cannotbeatag"
        }
    }
}
