using System.Formats.Tar;
using System.Text;

namespace FunctionBuild.Core.Tests.Runtimes.Oci;

/// <summary>Writes a layer's tar with modes, owners and times.</summary>
internal sealed class LayerTar : IDisposable
{
    private readonly MemoryStream _bytes = new();
    private readonly TarWriter _writer;
    private int _time = 1_000_000_000;

    public LayerTar() => _writer = new TarWriter(_bytes, TarEntryFormat.Pax, leaveOpen: true);

    public LayerTar Folder(string name, int mode = 0x1ED) => Add(TarEntryType.Directory, name, mode);

    public LayerTar File(string name, string content = "", int mode = 0x1A4, int user = 0, int group = 0) =>
        Add(TarEntryType.RegularFile, name, mode, content: content, user: user, group: group);

    public LayerTar SymbolicLink(string name, string target) => Add(TarEntryType.SymbolicLink, name, 0x1FF, target);

    public LayerTar HardLink(string name, string target) => Add(TarEntryType.HardLink, name, 0x1A4, target);

    public LayerTar Special(TarEntryType type, string name) => Add(type, name, 0x1A4);

    public void Dispose() => _writer.Dispose();

    public byte[] Build()
    {
        _writer.Dispose();
        return _bytes.ToArray();
    }

    private LayerTar Add(TarEntryType type, string name, int mode, string? target = null, string? content = null, int user = 0, int group = 0)
    {
        var entry = new PaxTarEntry(type, name) { Mode = (UnixFileMode)mode, Uid = user, Gid = group, ModificationTime = DateTimeOffset.FromUnixTimeSeconds(_time++) };
        if (target is not null)
        {
            entry.LinkName = target;
        }

        if (content is not null)
        {
            entry.DataStream = new MemoryStream(Encoding.UTF8.GetBytes(content));
        }

        _writer.WriteEntry(entry);
        return this;
    }
}
