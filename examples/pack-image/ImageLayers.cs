namespace PackImage;

/// <summary>Lays a program out in layers, from what seldom changes to what often does.</summary>
internal static class ImageLayers
{
    /// <summary>The folder of the program in the image.</summary>
    public const string ProgramFolder = "app";

    /// <summary>The user and group that the program runs as.</summary>
    public const int UserId = 65532;

    public static IReadOnlyList<ImageLayer> Make(PublishedProgram program, SharedLibraries libraries)
    {
        (string Name, IReadOnlyCollection<ImageFile> Files)[] contents =
        [
            ("system", SystemFiles()),
            ("libraries", [.. libraries.Found.Select(path => new ImageFile(path.TrimStart('/'), ImageFile.Executable, File.ReadAllBytes(path)))]),
            ("runtime", ProgramFiles(program, FileOrigin.Runtime)),
            ("dependencies", ProgramFiles(program, FileOrigin.Package)),
            ("program", ProgramFiles(program, FileOrigin.Program)),
        ];
        return [.. contents.Where(content => content.Files.Count > 0).Select(content => ImageLayer.Make(content.Name, content.Files))];
    }

    private static ImageFile[] SystemFiles() =>
    [
        new("etc/group", ImageFile.Readable, System.Text.Encoding.ASCII.GetBytes($"root:x:0:\nnonroot:x:{UserId}:\n")),
        new("etc/passwd", ImageFile.Readable, System.Text.Encoding.ASCII.GetBytes(
            $"root:x:0:0:root:/:/sbin/nologin\nnonroot:x:{UserId}:{UserId}:nonroot:/tmp:/sbin/nologin\n")),
        new("tmp", ImageFile.SharedFolder, Content: null),
    ];

    private static ImageFile[] ProgramFiles(PublishedProgram program, FileOrigin origin) =>
    [
        .. program.Files[origin].Select(path =>
        {
            var name = Path.GetFileName(path);
            return new ImageFile(
                $"{ProgramFolder}/{name}",
                name == program.Name ? ImageFile.Executable : ImageFile.Readable,
                File.ReadAllBytes(path));
        }),
    ];
}
