# Tarballs for the suites, made with .NET alone.

<#
.SYNOPSIS
Writes the tarball of a small function, <Folder>/<Name>-<Architecture>.tar.gz, and returns its path.
#>
function New-TestTarball {
    param(
        [Parameter(Mandatory)] [string] $Folder,
        [Parameter(Mandatory)] [string] $Name,
        [string] $Architecture = 'amd64',
        [string] $ImageArchitecture = $Architecture
    )

    $layers = foreach ($content in 'base', "$Name-$Architecture") {
        , (New-Tar @{ "$content.txt" = [Text.Encoding]::UTF8.GetBytes($content * 500) })
    }
    $names = $layers.ForEach({ (Get-Sha256 $_) + '/layer.tar' })
    $config = ConvertTo-JsonBytes @{
        os           = 'linux'
        architecture = $ImageArchitecture
        config       = @{ Entrypoint = @('/function') }
        rootfs       = @{ type = 'layers'; diff_ids = @($layers.ForEach({ 'sha256:' + (Get-Sha256 $_) })) }
    }
    $entries = [ordered] @{}
    for ($i = 0; $i -lt $layers.Count; $i++) { $entries[$names[$i]] = $layers[$i] }
    $entries['config.json'] = $config
    $entries['manifest.json'] = ConvertTo-JsonBytes @(, @{ Config = 'config.json'; RepoTags = @("${Name}:latest"); Layers = @($names) })
    $path = Join-Path $Folder "$Name-$Architecture.tar.gz"
    $gzip = [IO.Compression.GZipStream]::new([IO.File]::Create($path), [IO.Compression.CompressionLevel]::Optimal)
    $gzip.Write((New-Tar $entries))
    $gzip.Dispose()
    $path
}

function New-Tar([Collections.IDictionary] $Entries) {
    $buffer = [IO.MemoryStream]::new()
    $writer = [Formats.Tar.TarWriter]::new($buffer, [Formats.Tar.TarEntryFormat]::Ustar, $true)
    foreach ($name in $Entries.Keys) {
        $entry = [Formats.Tar.UstarTarEntry]::new([Formats.Tar.TarEntryType]::RegularFile, $name)
        $entry.DataStream = [IO.MemoryStream]::new([byte[]] $Entries[$name])
        $entry.ModificationTime = [DateTimeOffset]::UnixEpoch
        $writer.WriteEntry($entry)
    }
    $writer.Dispose()
    , $buffer.ToArray()
}

function Get-Sha256([byte[]] $Bytes) {
    [Convert]::ToHexStringLower([Security.Cryptography.SHA256]::HashData($Bytes))
}

function ConvertTo-JsonBytes($Value) {
    , [Text.Encoding]::UTF8.GetBytes((ConvertTo-Json -InputObject $Value -Depth 5 -Compress))
}

Export-ModuleMember -Function New-TestTarball
