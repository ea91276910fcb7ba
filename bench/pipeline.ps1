# What run.py times: imports the tarballs and, when told where to, builds and saves their packages.
param(
    [Parameter(Mandatory)] [string] $Tarballs,
    [string] $Package
)

$ErrorActionPreference = 'Stop'

$images = @(Import-FunctionTarball -Path $Tarballs)
if ($Package) {
    $null = $images | Build-FunctionImage -Repository example.com/bench | Save-FunctionImage -Path $Package
}

"$($images.Count) images, $($images[0].Workspace.BytesDecompressed) bytes decompressed"
