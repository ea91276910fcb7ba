using System.Globalization;
using System.Runtime.Versioning;

namespace FunctionBuild.Core.Runtimes.Oci;

/// <summary>Whom an image's process runs as.</summary>
/// <param name="Id">User id.</param>
/// <param name="Group">Group id.</param>
/// <param name="AdditionalGroups">More groups, in ascending order.</param>
/// <param name="Home">The home folder.</param>
[SupportedOSPlatform("linux")]
internal sealed record ImageUser(uint Id, uint Group, IReadOnlyList<uint> AdditionalGroups, string Home)
{
    /// <summary>
    /// Reads what an image's config says (<c>user</c>, <c>user:group</c>; names or numbers), with the image's own
    /// <c>/etc/passwd</c> and <c>/etc/group</c>. Without a group it is the user's own, and the user's further groups
    /// are added.
    /// </summary>
    /// <exception cref="FunctionBuildException">ErrorId <c>ImageUserUnknown</c>.</exception>
    public static ImageUser Resolve(RootFolder root, string specification, string function)
    {
        string[] parts = specification.Split(':', 2);
        string user = parts[0].Length == 0 ? "0" : parts[0];
        string[]? entry = Find(root, "etc/passwd", user, leastFields: 6);
        if (!TryParse(user, out uint id) && (entry is null || !TryParse(entry[2], out id)))
        {
            throw Unknown("user", user, "/etc/passwd");
        }

        uint group = 0;
        IReadOnlyList<uint> more = [];
        if (parts.Length == 2 && parts[1].Length > 0)
        {
            if (!TryParse(parts[1], out group) && !(Find(root, "etc/group", parts[1], leastFields: 3) is { } named && TryParse(named[2], out group)))
            {
                throw Unknown("group", parts[1], "/etc/group");
            }
        }
        else if (entry is not null)
        {
            _ = TryParse(entry[3], out group);
            more = GroupsOf(root, entry[0]);
        }

        return new ImageUser(id, group, more, entry is { } known && known[5].StartsWith('/') ? known[5] : "/");

        FunctionBuildException Unknown(string what, string name, string file) => new(
            "ImageUserUnknown",
            FaultKind.InvalidData,
            $"The image of function '{function}' runs as '{specification}', but its {file} has no {what} '{name}'. Set a number in the image's config, or add the {what} to the image.",
            function);
    }

    private static bool TryParse(string text, out uint id) => uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out id);

    private static IReadOnlyList<uint> GroupsOf(RootFolder root, string user) =>
        [.. Lines(root, "etc/group")
            .Where(f => f.Length >= 4 && f[3].Split(',').Contains(user))
            .Select(f => TryParse(f[2], out uint id) ? id : (uint?)null)
            .OfType<uint>()
            .Distinct()
            .Order()];

    // A number is looked for among the numbers, since names may not be numbers.
    private static string[]? Find(RootFolder root, string file, string nameOrId, int leastFields) =>
        Lines(root, file).FirstOrDefault(f => f.Length >= leastFields && f[TryParse(nameOrId, out _) ? 2 : 0] == nameOrId);

    private static IEnumerable<string[]> Lines(RootFolder root, string file) =>
        (root.ReadText(file) ?? string.Empty).Split('\n', StringSplitOptions.TrimEntries).Select(line => line.Split(':'));
}
