using System.Text;
using System.Text.Json.Nodes;

namespace FunctionBuild.Core.Rendering.Output;

/// <summary>Writes what was rendered to a file: a stream of YAML documents in UTF-8, whole or not at all.</summary>
public static class RenderedFile
{
    /// <summary>
    /// Writes a file, in the place of one that is there, whose mode it keeps; where a symbolic link leads, if the path is
    /// one. A device or a pipe is written to as it is.
    /// </summary>
    /// <param name="path">The file; its folder exists.</param>
    /// <param name="documents">The documents, in order.</param>
    /// <param name="cancellation">Stops the writing; the file is then as before.</param>
    /// <exception cref="FunctionBuildException">ErrorId <c>OutFileNotWritable</c>.</exception>
    public static async Task WriteAsync(string path, IReadOnlyList<JsonObject> documents, CancellationToken cancellation)
    {
        Check(path);
        byte[] content = Encoding.UTF8.GetBytes(YamlWriter.WriteStream(documents));
        try
        {
            string target = Target(path);
            if (DeviceFile.IsDevice(target))
            {
                var device = new FileStream(target, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
                await using (device.ConfigureAwait(false))
                {
                    await device.WriteAsync(content, cancellation).ConfigureAwait(false);
                }
            }
            else
            {
                await ReplaceAsync(target, content, cancellation).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw NotWritable(path, e.Message, e);
        }
    }

    /// <summary>Makes sure, before anything is started, that a file can stand at a path, and that one that is there may be replaced.</summary>
    /// <exception cref="FunctionBuildException">ErrorId <c>OutFileNotWritable</c>.</exception>
    public static void Check(string path)
    {
        if (Directory.Exists(path))
        {
            throw NotWritable(path, "it is a folder. Name a file.", null);
        }

        string folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        if (!Directory.Exists(folder))
        {
            throw NotWritable(path, $"the folder '{folder}' does not exist. Create it first.", null);
        }

        string target = Target(path);
        if (DeviceFile.IsDevice(target))
        {
            return;
        }

        // It is replaced, which a file that is read-only would not prevent.
        if (File.Exists(target) && !WriteAccess.Has(target))
        {
            throw NotWritable(path, "it is read-only. Make it writable, or name another file.", null);
        }

        string place = Path.GetDirectoryName(target)!;
        if (!Directory.Exists(place))
        {
            throw NotWritable(path, $"it is a link into the folder '{place}', which does not exist. Create it first.", null);
        }

        if (!WriteAccess.Has(place))
        {
            throw NotWritable(path, $"files cannot be made in the folder '{place}'. Allow it, or name a file elsewhere.", null);
        }
    }

    // What is under /dev leads on to names that are none.
    private static string Target(string path)
    {
        string full = Path.GetFullPath(path);
        try
        {
            return DeviceFile.IsDevice(full) || new FileInfo(full).LinkTarget is null
                ? full
                : File.ResolveLinkTarget(full, returnFinalTarget: true)!.FullName;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw NotWritable(path, e.Message, e);
        }
    }

    private static async Task ReplaceAsync(string path, byte[] content, CancellationToken cancellation)
    {
        string temporary = Path.Combine(Path.GetDirectoryName(path)!, $".functionbuild-{Guid.NewGuid():N}.tmp");
        try
        {
            var file = new FileStream(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None);
            await using (file.ConfigureAwait(false))
            {
                if (!OperatingSystem.IsWindows() && File.Exists(path))
                {
                    File.SetUnixFileMode(file.SafeFileHandle, File.GetUnixFileMode(path));
                }

                await file.WriteAsync(content, cancellation).ConfigureAwait(false);
                file.Flush(flushToDisk: true);
            }

            File.Move(temporary, path, overwrite: true);
        }
        finally
        {
            File.Delete(temporary);
        }
    }

    private static FunctionBuildException NotWritable(string path, string problem, Exception? cause) =>
        new("OutFileNotWritable", FaultKind.Write, $"'{path}' cannot be written: {problem}", path, cause);
}
