namespace PackImage;

/// <summary>A file or folder of an image.</summary>
/// <param name="Path">Its path in the image, without a slash in front.</param>
/// <param name="Mode">Its permissions.</param>
/// <param name="Content">Its bytes; null for a folder.</param>
internal sealed record ImageFile(string Path, UnixFileMode Mode, byte[]? Content)
{
    public const UnixFileMode Readable =
        UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    public const UnixFileMode Executable =
        Readable | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;

    public const UnixFileMode SharedFolder =
        Executable | UnixFileMode.GroupWrite | UnixFileMode.OtherWrite | UnixFileMode.StickyBit;
}
