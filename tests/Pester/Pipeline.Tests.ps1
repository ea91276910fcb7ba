BeforeAll {
    Import-Module (Join-Path $PSScriptRoot '../../out/FunctionBuild')
    Import-Module (Join-Path $PSScriptRoot 'Fixtures.psm1')
}

AfterAll {
    Remove-Module FunctionBuild, Fixtures
}

Describe 'From tarballs to packages' {
    BeforeAll {
        $build = New-Item -ItemType Directory (Join-Path $TestDrive 'build')
        foreach ($name in 'function-greet', 'function-hello') {
            foreach ($architecture in 'amd64', 'arm64') {
                New-TestTarball $build $name $architecture
            }
        }
    }

    AfterEach {
        Get-BuildWorkspace | Remove-BuildWorkspace
        Get-BuildWorkspace | Should -BeNullOrEmpty
    }

    It 'imports wildcards, files and prefixes alike' {
        Push-Location $TestDrive
        try {
            (Import-FunctionTarball ./build/*.tar.gz).Count | Should -Be 4
            (Get-ChildItem ./build | Import-FunctionTarball).Count | Should -Be 4
            ('./build/function-hello-amd64.tar.gz' | Import-FunctionTarball).Name | Should -Be 'function-hello'
            (Import-FunctionTarball -PathPrefix ./build/function-hello).Platform | Should -Be 'linux/amd64', 'linux/arm64'
        }
        finally {
            Pop-Location
        }
    }

    It 'reads every byte once and stores a shared layer once' {
        $images = Import-FunctionTarball "$build/*"
        $workspace = $images[0].Workspace
        $workspace.BytesRead | Should -Be (Get-ChildItem $build | Measure-Object Length -Sum).Sum
        $workspace.TarballsImported | Should -Be 4
        $workspace.LayersSeen | Should -Be 8
        $workspace.LayersStored | Should -Be 5
    }

    It 'builds one package per function, with an image per platform' {
        $functions = Import-FunctionTarball "$build/*" | Build-FunctionImage ghcr.io/acme/platform
        $functions.Name | Should -Be 'function-greet', 'function-hello'
        $functions[0].Repository | Should -Be 'ghcr.io/acme/platform_function-greet'
        $functions[0].Images.Platform.Architecture | Sort-Object | Should -Be 'amd64', 'arm64'
    }

    It 'gives the same digests again' {
        $first = Import-FunctionTarball "$build/*" | Build-FunctionImage ghcr.io/acme/platform -ThrottleLimit 1
        $second = Import-FunctionTarball "$build/*" | Build-FunctionImage ghcr.io/acme/platform -ThrottleLimit 8
        "$($second.Digest)" | Should -Be "$($first.Digest)"
    }

    It 'saves all functions to one file, which it can read' {
        $path = Join-Path $TestDrive 'new/platform.xpkg'
        $functions = Import-FunctionTarball "$build/*" | Build-FunctionImage ghcr.io/acme/platform
        $file = $functions | Save-FunctionImage $path -CreateDirectory
        $file | Should -BeOfType [IO.FileInfo]
        $file.FullName | Should -Be $path
        $read = Import-FunctionTarball $path
        $read.Count | Should -Be 4
        ($read.Config.Digest | Sort-Object { "$_" }) -join ' ' | Should -Be (($functions.Images.Config.Digest | Sort-Object { "$_" }) -join ' ')
    }

    It 'does not replace a file unless forced' {
        $path = Join-Path $TestDrive 'old.xpkg'
        Set-Content $path 'old'
        $functions = Import-FunctionTarball "$build/*" | Build-FunctionImage ghcr.io/acme/platform
        { $functions | Save-FunctionImage $path } | Should -Throw -ErrorId 'PathExists,*'
        Get-Content $path | Should -Be 'old'
        $functions | Save-FunctionImage $path -Force | Should -Not -BeNullOrEmpty
    }

    It 'writes nothing with -WhatIf' {
        Import-FunctionTarball "$build/*" | Build-FunctionImage ghcr.io/acme/platform | Save-FunctionImage "$TestDrive/none.xpkg" -WhatIf
        Test-Path "$TestDrive/none.xpkg" | Should -BeFalse
    }
}

Describe 'A bad file among good ones' {
    BeforeAll {
        $build = New-Item -ItemType Directory (Join-Path $TestDrive 'bad')
        New-TestTarball $build 'function-a'
        $cut = New-TestTarball $build 'function-b'
        [byte[]] $bytes = [IO.File]::ReadAllBytes($cut)
        [IO.File]::WriteAllBytes($cut, $bytes[0..($bytes.Length / 2)])
        New-TestTarball $build 'function-c'
        $liar = New-TestTarball $build 'function-d' -Architecture arm64 -ImageArchitecture amd64
    }

    AfterAll {
        Get-BuildWorkspace | Remove-BuildWorkspace
    }

    It 'is an error with an id and its path, and the good ones are imported' {
        $images = Import-FunctionTarball "$build/*" -ErrorAction SilentlyContinue -ErrorVariable failed
        $images.Name | Should -Be 'function-a', 'function-c'
        $failed.Count | Should -Be 2
        $failed[0].FullyQualifiedErrorId | Should -BeLike 'TarballTruncated,*'
        $failed[0].TargetObject | Should -Be $cut
        $failed[1].FullyQualifiedErrorId | Should -BeLike 'ArchitectureMismatch,*'
        $failed[1].Exception.Message | Should -BeLike "*'arm64'*'amd64'*"
        $failed[1].TargetObject | Should -Be $liar
    }

    It 'ends the pipeline with -ErrorAction Stop' {
        { Import-FunctionTarball "$build/*" -ErrorAction Stop } | Should -Throw -ErrorId 'TarballTruncated,*'
    }

    It 'leaves no partial blob' {
        $images = Import-FunctionTarball "$build/*" -ErrorAction Ignore
        $blobs = Get-ChildItem (Join-Path $images[0].Workspace.Path 'blobs') -File -Recurse
        $blobs.Count | Should -Be $images[0].Workspace.LayersStored
        Get-ChildItem (Join-Path $images[0].Workspace.Path 'incoming') -File | Should -BeNullOrEmpty
    }
}
