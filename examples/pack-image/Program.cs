using PackImage;

if (PackOptions.Parse(args) is not { } options)
{
    await Console.Error.WriteLineAsync(PackOptions.Usage);
    return 2;
}
try
{
    var program = PublishedProgram.Read(options.PublishedFolder);
    var libraries = SharedLibraries.Resolve(program.ElfFiles, options.Libraries);
    var layers = ImageLayers.Make(program, libraries);
    DockerArchive.Write(options.ArchivePath, program, layers, options.Tag);
    foreach (var layer in layers)
    {
        Console.WriteLine($"  {layer.Name,-13}{layer.FileCount,4} files {layer.Tar.Length,12:N0} bytes");
    }
    if (libraries.Missing.Count > 0)
    {
        await Console.Error.WriteLineAsync(
            $"pack-image: warning: this machine has no {program.Architecture} build of {string.Join(", ", libraries.Missing)}; " +
            "the image lacks them and won't run from scratch. Pack on a Linux machine of that architecture, with glibc and OpenSSL 3, for one that does.");
    }
    return 0;
}
catch (Exception e) when (e is InvalidDataException or IOException or UnauthorizedAccessException)
{
    await Console.Error.WriteLineAsync($"pack-image: {e.Message}");
    return 1;
}
