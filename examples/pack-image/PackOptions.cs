namespace PackImage;

/// <summary>What the command line asks for.</summary>
/// <param name="PublishedFolder">Where <c>dotnet publish</c> put the program.</param>
/// <param name="ArchivePath">The archive to write; one that is there is replaced.</param>
/// <param name="Tag">The image's name and tag in the archive.</param>
/// <param name="Libraries">Shared libraries that the program opens by name while it runs, so that no file of it says that it needs them.</param>
internal sealed record PackOptions(string PublishedFolder, string ArchivePath, string Tag, IReadOnlyList<string> Libraries)
{
    public const string Usage = "usage: pack-image PUBLISHED-FOLDER ARCHIVE.tar.gz NAME:TAG [LIBRARY.so...]";

    /// <returns>Null if the arguments are not as <see cref="Usage"/> says.</returns>
    public static PackOptions? Parse(string[] arguments) =>
        arguments is [var folder, var archive, var tag, .. var libraries] && tag.Contains(':', StringComparison.Ordinal)
            ? new PackOptions(folder, archive, tag, libraries)
            : null;
}
