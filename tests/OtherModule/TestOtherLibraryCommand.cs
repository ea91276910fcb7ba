using System.Management.Automation;
using SharpCompress.Common;
using YamlDotNet.RepresentationModel;

namespace OtherModule;

/// <summary>Uses the libraries and tells their versions.</summary>
[Cmdlet(VerbsDiagnostic.Test, "OtherLibrary")]
[OutputType(typeof(string))]
public sealed class TestOtherLibraryCommand : PSCmdlet
{
    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        var yaml = new YamlStream();
        yaml.Load(new StringReader("[1, 2]"));
        WriteObject($"YamlDotNet {typeof(YamlStream).Assembly.GetName().Version!.ToString(2)} {yaml.Documents[0].RootNode}");
        WriteObject($"SharpCompress {typeof(CompressionType).Assembly.GetName().Version!.ToString(2)} {CompressionType.BZip2}");
    }
}
