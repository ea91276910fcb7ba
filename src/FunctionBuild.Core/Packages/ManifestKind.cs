namespace FunctionBuild.Core.Packages;

/// <summary>Whose media types manifests, configs and layers have. The index is an OCI index in either case.</summary>
public enum ManifestKind
{
    /// <summary>Docker's image manifest version 2, schema 2: what the reference writes.</summary>
    Docker,

    /// <summary>OCI throughout.</summary>
    Oci,
}
