<#
.SYNOPSIS
Makes a composition function, builds its Crossplane package, and renders its composition with it.

.DESCRIPTION
Publishes examples/function-hello, packs it as a gzipped image tarball, and then does what FunctionBuild is for: imports
the tarball, builds the package, saves it as out/quickstart/function-hello.xpkg, and runs the pipeline of
examples/composition.yaml against it. Each figure printed was checked against the files. Needs the .NET 10 SDK; to render
also an OCI runtime (runc, crun or youki) or a Docker-compatible engine, and says so where there is none.

Runs in the embedded host, and in pwsh 7.6 after 'dotnet build'. The host has the engine's own commands only, which is
why files and paths go through .NET here.

.EXAMPLE
dotnet run --project src/FunctionBuild.Host -- examples/quickstart.ps1
#>
[CmdletBinding()]
param()

$ErrorActionPreference = 'Stop'
$PSNativeCommandUseErrorActionPreference = $true

$repositoryRoot = [IO.Path]::GetDirectoryName($PSScriptRoot)
$functionFolder = [IO.Path]::Combine($PSScriptRoot, 'function-hello')
$packerFolder = [IO.Path]::Combine($PSScriptRoot, 'pack-image')
$outFolder = [IO.Path]::Combine($repositoryRoot, 'out', 'quickstart')
$publishFolder = [IO.Path]::Combine($outFolder, 'publish')
$tarballPath = [IO.Path]::Combine($outFolder, 'function-hello-amd64.tar.gz')
$packagePath = [IO.Path]::Combine($outFolder, 'function-hello.xpkg')

# Ends the script unless what is about to be claimed is so.
function Assert-Same([string] $What, $Actual, $Expected) {
    if ("$Actual" -cne "$Expected") {
        throw "${What}: expected '$Expected', found '$Actual'."
    }
}

# The length of what a gzip file of one member decompresses to: its last four bytes (RFC 1952, ISIZE).
function Get-ExpandedLength([string] $Path) {
    $bytes = [IO.File]::ReadAllBytes($Path)
    [BitConverter]::ToUInt32($bytes, $bytes.Length - 4)
}

if (-not (Get-Command Import-FunctionTarball -ErrorAction Ignore)) {
    Import-Module ([IO.Path]::Combine($repositoryRoot, 'out', 'FunctionBuild'))
}

'Publishing function-hello for linux-x64, with the .NET runtime ...'
if ([IO.Directory]::Exists($publishFolder)) {
    [IO.Directory]::Delete($publishFolder, $true)
}
dotnet publish $functionFolder --configuration Release --runtime linux-x64 --self-contained --output $publishFolder --verbosity quiet -nologo

# OpenSSL is opened by name when the function serves TLS, as it does under Crossplane.
'Packing it with the shared libraries that it needs, in layers:'
dotnet run --project $packerFolder --configuration Release -- $publishFolder $tarballPath 'function-hello:latest' 'libssl.so.3'

'Importing, building, saving ...'
$runtime = Import-FunctionTarball -LiteralPath $tarballPath
$function = $runtime | Build-FunctionImage -Repository registry.example.com/acme/function-hello -MetadataPath ([IO.Path]::Combine($functionFolder, 'package'))
$package = $function | Save-FunctionImage -Path $packagePath -Force -CreateDirectory

$workspace = $function.Workspace
$built = $function.Images[0]
$tarballLength = [IO.FileInfo]::new($tarballPath).Length
Assert-Same 'Tarballs imported' $workspace.TarballsImported 1
Assert-Same 'Bytes read' $workspace.BytesRead $tarballLength
Assert-Same 'Bytes decompressed' $workspace.BytesDecompressed (Get-ExpandedLength $tarballPath)
Assert-Same 'Layers stored' $workspace.LayersStored $runtime.Layers.Count

# What was saved is read back, which hashes every layer, into a workspace of its own.
$saved = Import-FunctionTarball -LiteralPath $package.FullName
$packageLayers = $saved.Layers.Count - $runtime.Layers.Count
Assert-Same 'Platform of the package' $saved.Platform $runtime.Platform
Assert-Same 'Package layers' $packageLayers 1
for ($i = 0; $i -lt $runtime.Layers.Count; $i++) {
    Assert-Same "Diff ID of layer $i" $saved.Layers[$i].DiffId $runtime.Layers[$i].DiffId
}
for ($i = 0; $i -lt $built.Layers.Count; $i++) {
    Assert-Same "Digest of layer $i" $saved.Layers[$i].Blob.Digest $built.Layers[$i].Descriptor.Digest
}

"layers       $($saved.Layers.Count) ($($runtime.Layers.Count) of the runtime image, $packageLayers of the package)"
"read         $($workspace.BytesRead) bytes of $tarballLength, once"
"decompressed $($workspace.BytesDecompressed) bytes, once"
"digest       $($function.Digest)"
"wrote        $([IO.Path]::GetRelativePath([Environment]::CurrentDirectory, $package.FullName)) ($($package.Length) bytes)"

# A function runs where there is something that runs containers.
try {
    $rendered = $function | Invoke-FunctionRender -CompositeResource ([IO.Path]::Combine($PSScriptRoot, 'xr.yaml')) -Composition ([IO.Path]::Combine($PSScriptRoot, 'composition.yaml'))
    Assert-Same 'Resources' $rendered.Count 2
    Assert-Same 'Greeting' $rendered[1].data.greeting 'Hello, Crossplane!'
    'rendered:'
    "$($rendered[1])"
} catch {
    if ($_.FullyQualifiedErrorId -notlike 'NoRuntime*') {
        throw
    }
    "not rendered: $($_.Exception.Message)"
}

Remove-BuildWorkspace -InputObject $function, $saved
