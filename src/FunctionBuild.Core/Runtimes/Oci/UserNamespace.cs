using System.Globalization;
using System.Runtime.Versioning;

namespace FunctionBuild.Core.Runtimes.Oci;

/// <summary>
/// The user namespace in which a user who is not root runs functions. With <c>newuidmap</c>, <c>newgidmap</c> and ids set
/// aside in <c>/etc/subuid</c> and <c>/etc/subgid</c> it has all ids that images use. Otherwise its root is the caller and
/// there is nobody else, so functions run as that root, whatever user the image names: outside it is the caller, without
/// capabilities.
/// </summary>
/// <param name="Users">User ids.</param>
/// <param name="Groups">Group ids.</param>
[SupportedOSPlatform("linux")]
internal sealed record UserNamespace(IReadOnlyList<IdRange> Users, IReadOnlyList<IdRange> Groups)
{
    /// <summary>Ids that an image may well use: 65534 is nobody's.</summary>
    private const uint LeastIds = 65535;

    /// <summary>Whether there is only one id.</summary>
    public bool HasOneId => Users.Count == 1;

    /// <summary>Whether the runtime itself runs in it, instead of making it.</summary>
    public bool IsEntered { get; private init; }

    /// <summary>The namespace that this user needs; null for root.</summary>
    /// <param name="isEntered">Whether the runtime will run in it, which leaves it only one id.</param>
    public static UserNamespace? ForCaller(bool isEntered)
    {
        uint user = Posix.UserId;
        if (user == 0)
        {
            return null;
        }

        IdRange ownUser = new(0, user, 1);
        IdRange ownGroup = new(0, Posix.GroupId, 1);
        return !isEntered && SearchPath.Find("newuidmap") is not null && SearchPath.Find("newgidmap") is not null
            && SetAside("/etc/subuid", user) is { } users && SetAside("/etc/subgid", user) is { } groups
            ? new UserNamespace([ownUser, users], [ownGroup, groups])
            : OfOneId(user, Posix.GroupId, isEntered);
    }

    /// <summary>A namespace with nobody but its root, who is the caller.</summary>
    public static UserNamespace OfOneId(uint user, uint group, bool isEntered) => new([new(0, user, 1)], [new(0, group, 1)]) { IsEntered = isEntered };

    /// <summary>The image's user as it is in this namespace.</summary>
    /// <exception cref="FunctionBuildException">ErrorId <c>ImageUserUnavailable</c>.</exception>
    public ImageUser Map(ImageUser user, string function)
    {
        if (HasOneId)
        {
            return user with { Id = 0, Group = 0, AdditionalGroups = [] };
        }

        if (!Has(Users, user.Id) || !Has(Groups, user.Group))
        {
            throw new FunctionBuildException(
                "ImageUserUnavailable",
                FaultKind.Permission,
                $"The image of function '{function}' runs as {user.Id}:{user.Group}, which is beyond the ids that /etc/subuid and /etc/subgid set aside for this user. Set more aside, or run as root.",
                function);
        }

        return user with { AdditionalGroups = [.. user.AdditionalGroups.Where(g => Has(Groups, g))] };
    }

    private static bool Has(IReadOnlyList<IdRange> ranges, uint id) => ranges.Any(r => id >= r.Inside && id - r.Inside < r.Count);

    private static IdRange? SetAside(string file, uint user)
    {
        if (!File.Exists(file))
        {
            return null;
        }

        string[] names = [Environment.UserName, user.ToString(CultureInfo.InvariantCulture)];
        foreach (string[] fields in File.ReadLines(file).Select(l => l.Trim().Split(':')))
        {
            if (fields.Length == 3 && names.Contains(fields[0])
                && uint.TryParse(fields[1], NumberStyles.None, CultureInfo.InvariantCulture, out uint first)
                && uint.TryParse(fields[2], NumberStyles.None, CultureInfo.InvariantCulture, out uint count)
                && count >= LeastIds)
            {
                return new IdRange(1, first, count);
            }
        }

        return null;
    }
}
