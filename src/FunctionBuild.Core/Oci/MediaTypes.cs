namespace FunctionBuild.Core.Oci;

/// <summary>Media types of the OCI image spec and of Docker's image manifest version 2, schema 2.</summary>
public static class MediaTypes
{
    /// <summary>OCI image index.</summary>
    public const string OciIndex = "application/vnd.oci.image.index.v1+json";

    /// <summary>OCI image manifest.</summary>
    public const string OciManifest = "application/vnd.oci.image.manifest.v1+json";

    /// <summary>OCI image config.</summary>
    public const string OciConfig = "application/vnd.oci.image.config.v1+json";

    /// <summary>OCI layer, uncompressed; <c>+gzip</c> and <c>+zstd</c> are appended for the compressed forms.</summary>
    public const string OciLayer = "application/vnd.oci.image.layer.v1.tar";

    /// <summary>Docker manifest list.</summary>
    public const string DockerIndex = "application/vnd.docker.distribution.manifest.list.v2+json";

    /// <summary>Docker image manifest.</summary>
    public const string DockerManifest = "application/vnd.docker.distribution.manifest.v2+json";

    /// <summary>Docker image config.</summary>
    public const string DockerConfig = "application/vnd.docker.container.image.v1+json";

    /// <summary>Docker layer, uncompressed; <c>.gzip</c> is appended for the compressed form.</summary>
    public const string DockerLayer = "application/vnd.docker.image.rootfs.diff.tar";

    /// <summary>Whether a media type is one of the two index types.</summary>
    public static bool IsIndex(string? mediaType) => mediaType is OciIndex or DockerIndex;

    /// <summary>Whether a media type is one of the two image manifest types.</summary>
    public static bool IsManifest(string? mediaType) => mediaType is OciManifest or DockerManifest;
}
