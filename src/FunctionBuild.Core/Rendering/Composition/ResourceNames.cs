using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using FunctionBuild.Core.Rendering.Objects;

namespace FunctionBuild.Core.Rendering.Composition;

/// <summary>Names and identities that are made from what they belong to, so that each render makes the same.</summary>
internal static partial class ResourceNames
{
    private const int MaxNameLength = 253;
    private const int MaxChildNameLength = 63;
    private const int SuffixLength = 12;

    private static readonly HashSet<string> RoleKinds = ["Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding"];

    /// <summary>The name of a composed resource whose name is to be generated: a prefix, cut where the whole would be longer than 63 characters, and 12 digits.</summary>
    /// <param name="prefix">The <c>metadata.generateName</c>.</param>
    /// <param name="ownerUid">The composite resource's UID.</param>
    /// <param name="resourceName">The resource's name in the desired state.</param>
    public static string Child(string prefix, string ownerUid, string resourceName)
    {
        string suffix = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(ownerUid + resourceName)))[..SuffixLength];
        string start = prefix.Length == 0 || prefix.EndsWith('-') ? prefix : prefix + "-";
        const int longest = MaxChildNameLength - SuffixLength;
        if (start.Length > longest)
        {
            start = start[..(longest - 1)] + "-";
        }

        return start + suffix;
    }

    /// <summary>A UID for an object that has none: version 5 of RFC 9562 in the namespace of all zeros.</summary>
    public static string Uid(ObjectKind kind, string @namespace, string name)
    {
        byte[] identity = Encoding.UTF8.GetBytes($"{kind}\0{@namespace}\0{name}");
#pragma warning disable CA5350 // The standard says SHA-1; nothing depends on its strength.
        byte[] hash = SHA1.HashData([.. new byte[16], .. identity]);
#pragma warning restore CA5350
        hash[6] = (byte)((hash[6] & 0x0F) | 0x50);
        hash[8] = (byte)((hash[8] & 0x3F) | 0x80);
        return new Guid(hash.AsSpan(0, 16), bigEndian: true).ToString();
    }

    /// <summary>Whether the API server takes a name: an RFC 1123 subdomain; those of roles and their bindings may have colons too.</summary>
    public static bool IsValid(string name, ObjectKind kind)
    {
        if (kind.Group == "rbac.authorization.k8s.io" && RoleKinds.Contains(kind.Kind))
        {
            name = name.Replace(":", "", StringComparison.Ordinal);
        }

        return name.Length <= MaxNameLength && Subdomain().IsMatch(name);
    }

    [GeneratedRegex(@"\A[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\z", RegexOptions.CultureInvariant)]
    private static partial Regex Subdomain();
}
