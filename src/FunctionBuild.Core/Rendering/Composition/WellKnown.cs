namespace FunctionBuild.Core.Rendering.Composition;

/// <summary>Names that Crossplane gives meaning to.</summary>
internal static class WellKnown
{
    /// <summary>The annotation with the name of a composed resource in the desired state of functions.</summary>
    public const string ResourceNameAnnotation = "crossplane.io/composition-resource-name";

    /// <summary>The label with the name of the composite resource at the top, which is also the prefix of generated names.</summary>
    public const string CompositeLabel = "crossplane.io/composite";

    public const string ClaimNameLabel = "crossplane.io/claim-name";

    public const string ClaimNamespaceLabel = "crossplane.io/claim-namespace";

    public const string PausedAnnotation = "crossplane.io/paused";

    public const string ReconcileRequestAnnotation = "crossplane.io/reconcile-requested-at";

    /// <summary>What stands for every moment, so that a render is the same today and tomorrow.</summary>
    public const string StableTime = "2024-01-01T00:00:00Z";

    public const string NormalEvent = "Normal";

    public const string WarningEvent = "Warning";

    /// <summary>The reason of events that come from composing.</summary>
    public const string ComposeReason = "ComposeResources";

    /// <summary>How the controller begins to say that it could not compose.</summary>
    public const string ComposeError = "cannot compose resources: ";
}
