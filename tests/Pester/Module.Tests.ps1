BeforeAll {
    $modulePath = Join-Path $PSScriptRoot '../../out/FunctionBuild'
    Import-Module $modulePath
    $cmdlets = @(
        'Build-FunctionImage', 'Get-BuildWorkspace', 'Import-FunctionTarball', 'Invoke-FunctionRender'
        'New-BuildWorkspace', 'Push-FunctionImage', 'Remove-BuildWorkspace', 'Save-FunctionImage'
    )
}

AfterAll {
    Remove-Module FunctionBuild
}

Describe 'The module' {
    It 'has a valid manifest' {
        Test-ModuleManifest (Join-Path $modulePath 'FunctionBuild.psd1') | Should -Not -BeNullOrEmpty
    }

    It 'exports its cmdlets and nothing else' {
        (Get-Command -Module FunctionBuild).Name | Sort-Object | Should -Be $cmdlets
    }

    It 'uses approved verbs only' {
        (Get-Command -Module FunctionBuild).Verb | Where-Object { $_ -notin (Get-Verb).Verb } | Should -BeNullOrEmpty
    }

    It 'keeps its dependencies out of the default load context' {
        $default = [Runtime.Loader.AssemblyLoadContext]::Default.Assemblies.ForEach({ $_.GetName().Name })
        'FunctionBuild.Core', 'SharpCompress', 'YamlDotNet' | Where-Object { $_ -in $default } | Should -BeNullOrEmpty
    }
}

Describe 'Help' {
    It '<_> has a synopsis, a description, three examples and a text for each parameter' -ForEach @(
        'Build-FunctionImage', 'Get-BuildWorkspace', 'Import-FunctionTarball', 'Invoke-FunctionRender'
        'New-BuildWorkspace', 'Push-FunctionImage', 'Remove-BuildWorkspace', 'Save-FunctionImage'
    ) {
        $help = Get-Help $_ -Full
        $help.Synopsis | Should -Not -BeNullOrEmpty
        $help.Synopsis | Should -Not -BeLike "$_ *"
        $help.Description.Text | Should -Not -BeNullOrEmpty
        @($help.Examples.Example).Count | Should -BeGreaterOrEqual 3
        $common = [Management.Automation.PSCmdlet]::CommonParameters
        foreach ($name in (Get-Command $_).Parameters.Keys.Where({ $_ -notin $common })) {
            $parameter = $help.Parameters.Parameter | Where-Object Name -EQ $name
            $parameter.Description.Text | Should -Not -BeNullOrEmpty -Because "-$name is a parameter"
        }
    }

    It 'explains the module' {
        Get-Help about_FunctionBuild | Out-String | Should -BeLike '*workspace*'
    }
}
