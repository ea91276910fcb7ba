# What run.py times: imports the tarballs and, when told where to, builds their packages and saves or pushes them.
param(
    [Parameter(Mandatory)] [string] $Tarballs,
    [string] $Package,
    [string] $Repository
)

$ErrorActionPreference = 'Stop'

$images = @(Import-FunctionTarball -Path $Tarballs)
if ($Package) {
    $null = $images | Build-FunctionImage -Repository example.com/bench | Save-FunctionImage -Path $Package
}

"$($images.Count) images, $($images[0].Workspace.BytesRead) bytes read"
if ($Repository) {
    $images | Build-FunctionImage -Repository $Repository | Push-FunctionImage -Tag bench | ForEach-Object {
        "$($_.Reference) $($_.Digest) $($_.BlobsPushed) $($_.BlobsMounted) $($_.BlobsExisting) $($_.BytesSent)"
    }
}
