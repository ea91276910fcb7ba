BeforeDiscovery {
    $functionPath = Get-ChildItem (Join-Path $PSScriptRoot '../../examples/function-hello/bin/*/net10.0/function-hello.dll') -ErrorAction Ignore |
        Sort-Object LastWriteTime | Select-Object -Last 1 -ExpandProperty FullName
}

BeforeAll {
    Import-Module (Join-Path $PSScriptRoot '../../out/FunctionBuild')
    Import-Module (Join-Path $PSScriptRoot 'Fixtures.psm1')
}

AfterAll {
    Remove-Module FunctionBuild, Fixtures
}

Describe 'Rendering with a function that listens (needs a built examples/function-hello)' -Skip:(-not $functionPath) -ForEach @(@{ FunctionPath = $functionPath }) {
    BeforeAll {
        $listener = [Net.Sockets.TcpListener]::new([Net.IPAddress]::Loopback, 0)
        $listener.Start()
        $port = $listener.LocalEndpoint.Port
        $listener.Stop()
        $process = Start-Process dotnet -ArgumentList "`"$FunctionPath`"", '--insecure', '--address', "127.0.0.1:$port" -PassThru -RedirectStandardOutput "$TestDrive/function.out" -RedirectStandardError "$TestDrive/function.err"

        $examples = Join-Path $PSScriptRoot '../../examples'
        $render = @{
            CompositeResource = Join-Path $examples 'xr.yaml'
            Composition       = Join-Path $examples 'composition.yaml'
            Function          = @{
                apiVersion = 'pkg.crossplane.io/v1'
                kind       = 'Function'
                metadata   = @{
                    name        = 'function-hello'
                    annotations = @{
                        'render.crossplane.io/runtime'                    = 'Development'
                        'render.crossplane.io/runtime-development-target' = "127.0.0.1:$port"
                    }
                }
            }
        }
    }

    AfterAll {
        Get-BuildWorkspace | Remove-BuildWorkspace
        $process | Stop-Process
        $process | Wait-Process
    }

    It 'gives the composite resource and what is composed' {
        $xr, $greeting = Invoke-FunctionRender @render
        $xr.kind | Should -Be 'Greeting'
        $xr.status.conditions.type | Should -Contain 'Ready'
        $greeting.kind | Should -Be 'ConfigMap'
        $greeting.data.greeting | Should -Be 'Hello, Crossplane!'
    }

    It 'shows YAML' {
        $shown = Invoke-FunctionRender @render | Out-String
        $shown | Should -BeLike '*apiVersion: example.com/v1*kind: Greeting*'
        $shown | Should -BeLike '*  greeting: Hello, Crossplane!*'
    }

    It 'takes what ConvertFrom-Json and Get-Content give' {
        $xr = '{"apiVersion": "example.com/v1", "kind": "Greeting", "metadata": {"name": "json"}, "spec": {"name": "JSON"}}' | ConvertFrom-Json
        foreach ($composition in (Get-Content -Raw $render.Composition), (Get-Content $render.Composition)) {
            $rendered = Invoke-FunctionRender $xr $composition $render.Function
            $rendered[1].data.greeting | Should -Be 'Hello, JSON!'
        }
    }

    It 'observes what was rendered, also saved and read again' {
        $greeting = (Invoke-FunctionRender @render)[1]
        $path = Join-Path $TestDrive 'greeting.xml'
        $greeting | Export-Clixml $path
        foreach ($observed in @($greeting), ($greeting | ConvertTo-Json -Depth 9), (, $greeting | ConvertTo-Json -Depth 9 -Compress), "$greeting", (Import-Clixml $path)) {
            $rendered = Invoke-FunctionRender @render -ObservedResource $observed
            $rendered[1].metadata.name | Should -Be $greeting.metadata.name
        }
    }

    It 'writes the same documents that Set-Content would' {
        $path = Join-Path $TestDrive 'out.yaml'
        $other = Join-Path $TestDrive 'other.yaml'
        Invoke-FunctionRender @render -OutFile $path | Set-Content $other
        Get-Content -Raw $path | Should -BeExactly (Get-Content -Raw $other)
        Get-Content -Raw $path | Should -BeLike "---`napiVersion: example.com/v1`nkind: Greeting`n*"
    }

    It 'hands the functions on, and on failure nothing' {
        $tarball = New-TestTarball $TestDrive 'function-hello'
        $functions = Import-FunctionTarball $tarball | Build-FunctionImage ghcr.io/acme/function-hello
        ($functions | Invoke-FunctionRender @render -Runtime Development -PassThru).Name | Should -Be 'function-hello'
        $bad = @{ apiVersion = 'example.com/v1'; kind = 'Greeting'; metadata = @{ name = 'bad' }; spec = @{ name = 5 } }
        $path = Join-Path $TestDrive 'never.xpkg'
        { $functions | Invoke-FunctionRender $bad $render.Composition $render.Function -Runtime Development -PassThru | Save-FunctionImage $path } |
            Should -Throw -ErrorId 'FunctionFatal,FunctionBuild.Commands.InvokeFunctionRenderCommand'
        $path | Should -Not -Exist
    }

    It 'starts nothing with -WhatIf' {
        Invoke-FunctionRender @render -WhatIf | Should -BeNullOrEmpty
    }
}
