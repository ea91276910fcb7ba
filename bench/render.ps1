# What run.py times of a render: with the package already built, a first render, which unpacks the image, and a second.
param(
    [Parameter(Mandatory)] [string] $Tarball,
    [Parameter(Mandatory)] [string] $Name
)

$ErrorActionPreference = 'Stop'

$resource = '{"apiVersion": "example.com/v1", "kind": "Bench", "metadata": {"name": "bench"}}'
$composition = @"
{"apiVersion": "apiextensions.crossplane.io/v1", "kind": "Composition", "metadata": {"name": "bench"},
 "spec": {"compositeTypeRef": {"apiVersion": "example.com/v1", "kind": "Bench"}, "mode": "Pipeline",
          "pipeline": [{"step": "bench", "functionRef": {"name": "$Name"}}]}}
"@

$function = Import-FunctionTarball -LiteralPath $Tarball | Build-FunctionImage -Repository "example.com/$Name"
foreach ($kind in 'cold', 'warm') {
    $watch = [Diagnostics.Stopwatch]::StartNew()
    $rendered = @($function | Invoke-FunctionRender -CompositeResource $resource -Composition $composition -Runtime Oci)
    "$kind $($watch.Elapsed.TotalSeconds.ToString([cultureinfo]::InvariantCulture)) $($rendered.Count) $($rendered[1].data.from)"
}
