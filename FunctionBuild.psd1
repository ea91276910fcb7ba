@{
    RootModule           = 'FunctionBuild.dll'
    NestedModules        = @('FunctionBuild.Loader.dll')
    ModuleVersion        = '0.1.0'
    GUID                 = '6f1f2f0e-8c5b-4c0f-9f0a-2f7d1c1b7a55'
    Author               = 'The FunctionBuild authors'
    CompanyName          = 'FunctionBuild'
    Copyright            = 'Copyright (c) The FunctionBuild authors. Apache-2.0.'
    Description          = 'Builds Crossplane function packages from image tarballs, reading and decompressing each tarball exactly once.'
    CompatiblePSEditions = @('Core')
    PowerShellVersion    = '7.6'
    FormatsToProcess     = @('FunctionBuild.format.ps1xml')
    FunctionsToExport    = @()
    AliasesToExport      = @()
    VariablesToExport    = @()
    CmdletsToExport      = @(
        'New-BuildWorkspace'
        'Get-BuildWorkspace'
        'Remove-BuildWorkspace'
        'Import-FunctionTarball'
        'Build-FunctionImage'
        'Save-FunctionImage'
        'Invoke-FunctionRender'
        'Push-FunctionImage'
    )
    PrivateData          = @{
        PSData = @{
            Tags       = @('Crossplane', 'OCI', 'container', 'image', 'package', 'registry', 'xpkg', 'build', 'render')
            LicenseUri = 'https://www.apache.org/licenses/LICENSE-2.0'
        }
    }
}
