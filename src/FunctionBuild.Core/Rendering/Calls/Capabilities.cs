using FunctionBuild.Core.Rendering.Protocol;

namespace FunctionBuild.Core.Rendering.Calls;

/// <summary>What functions are told that their caller can do (<c>meta.capabilities</c>).</summary>
internal static class Capabilities
{
    /// <summary>All that the protocol knows, in the controller's order.</summary>
    public static IReadOnlyList<Capability> Supported { get; } = ReadOnly.Copy<Capability>(
    [
        Capability.Capabilities,
        Capability.RequiredResources,
        Capability.Credentials,
        Capability.Conditions,
        Capability.RequiredSchemas,
    ]);
}
