namespace FunctionBuild.Core.Tests.Runtimes.Oci;

/// <summary>Describes what is in a folder, so that two can be compared.</summary>
internal static class RootTree
{
    private static readonly EnumerationOptions All = new() { AttributesToSkip = 0 };

    /// <summary>A line for each name: kind, mode, time and content or target. Links are not followed.</summary>
    public static List<string> Describe(string root) => [.. Entries(new DirectoryInfo(root), root).Order(StringComparer.Ordinal)];

    /// <summary>The names only, folders with a slash at their end.</summary>
    public static List<string> Names(string root) => [.. Infos(new DirectoryInfo(root)).Select(i => NameOf(i, root)).Where(n => n != "package.yaml").Order(StringComparer.Ordinal)];

    private static IEnumerable<string> Entries(DirectoryInfo folder, string root)
    {
        foreach (FileSystemInfo info in Infos(folder))
        {
            yield return info.LinkTarget is { } target
                ? $"{NameOf(info, root)} -> {target}"
                : $"{NameOf(info, root)} {Convert.ToString((int)info.UnixFileMode, 8)} {Seconds(info)} {Content(info)}";
        }
    }

    private static IEnumerable<FileSystemInfo> Infos(DirectoryInfo folder)
    {
        foreach (FileSystemInfo info in folder.EnumerateFileSystemInfos("*", All))
        {
            yield return info;
            if (info is DirectoryInfo inner && info.LinkTarget is null)
            {
                foreach (FileSystemInfo below in Infos(inner))
                {
                    yield return below;
                }
            }
        }
    }

    private static string NameOf(FileSystemInfo info, string root) =>
        Path.GetRelativePath(root, info.FullName) + (info is DirectoryInfo && info.LinkTarget is null ? "/" : string.Empty);

    private static long Seconds(FileSystemInfo info) => new DateTimeOffset(info.LastWriteTimeUtc).ToUnixTimeSeconds();

    private static string Content(FileSystemInfo info) =>
        info is FileInfo { Length: > 0 } file ? Oci.DigestOf(File.ReadAllBytes(file.FullName)) : string.Empty;

    private static class Oci
    {
        public static string DigestOf(byte[] content) => Core.Oci.Digest.Of(content).ShortHex;
    }
}
