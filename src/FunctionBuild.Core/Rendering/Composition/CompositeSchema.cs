namespace FunctionBuild.Core.Rendering.Composition;

/// <summary>Where a composite resource keeps what Crossplane itself reads and writes.</summary>
internal enum CompositeSchema
{
    /// <summary>Namespaced or cluster-scoped resources of Crossplane 2: under <c>spec.crossplane</c>.</summary>
    Modern,

    /// <summary>Cluster-scoped resources as Crossplane 1 has them (scope <c>LegacyCluster</c>), which may be claimed: right under <c>spec</c>.</summary>
    Legacy,
}
