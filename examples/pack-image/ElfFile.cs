using System.Buffers.Binary;
using System.Text;

namespace PackImage;

/// <summary>What the loader reads of a 64-bit little-endian ELF file to bring a program up.</summary>
/// <param name="Path">The file.</param>
/// <param name="Machine">The processor's number.</param>
/// <param name="Interpreter">The loader that the file asks for; null for a library.</param>
/// <param name="Needed">The names of the libraries that it links to.</param>
internal sealed record ElfFile(string Path, ushort Machine, string? Interpreter, IReadOnlyList<string> Needed)
{
    private const int HeaderLength = 64;
    private const int ProgramHeaderLength = 56;
    private const int DynamicEntryLength = 16;
    private const ushort MachineX64 = 62;
    private const ushort MachineArm64 = 183;

    /// <summary>The processor as image configs name it; null for any but x64 and Arm64.</summary>
    public string? Architecture => Machine switch
    {
        MachineX64 => "amd64",
        MachineArm64 => "arm64",
        _ => null,
    };

    /// <returns>Null for a file of any other kind.</returns>
    /// <exception cref="InvalidDataException">The file starts as ELF does, but is damaged.</exception>
    public static ElfFile? TryRead(string path)
    {
        var header = new byte[HeaderLength];
        using (var stream = File.OpenRead(path))
        {
            if (stream.ReadAtLeast(header, HeaderLength, throwOnEndOfStream: false) < HeaderLength
                || !header.AsSpan().StartsWith("\u007fELF\u0002\u0001"u8))
            {
                return null;
            }
        }
        try
        {
            return Parse(path, File.ReadAllBytes(path));
        }
        catch (Exception e) when (e is ArgumentOutOfRangeException or OverflowException)
        {
            throw new InvalidDataException($"'{path}' is a damaged ELF file", e);
        }
    }

    private static ElfFile Parse(string path, ReadOnlySpan<byte> file)
    {
        var programHeaders = Number64(file, 32);
        var count = Number16(file, 56);
        string? interpreter = null;
        var dynamic = ReadOnlySpan<byte>.Empty;
        var segments = new List<Segment>();
        for (var i = 0; i < count; i++)
        {
            var header = file.Slice(programHeaders + (i * ProgramHeaderLength), ProgramHeaderLength);
            var segment = new Segment(Offset: Number64(header, 8), Address: Number64(header, 16), Length: Number64(header, 32));
            switch ((SegmentType)BinaryPrimitives.ReadUInt32LittleEndian(header))
            {
                case SegmentType.Load:
                    segments.Add(segment);
                    break;
                case SegmentType.Dynamic:
                    dynamic = file.Slice(segment.Offset, segment.Length);
                    break;
                case SegmentType.Interpreter:
                    interpreter = Text(file, segment.Offset);
                    break;
            }
        }
        return new ElfFile(path, Number16(file, 18), interpreter, ReadNeeded(file, dynamic, segments));
    }

    private static List<string> ReadNeeded(ReadOnlySpan<byte> file, ReadOnlySpan<byte> dynamic, List<Segment> segments)
    {
        var names = new List<int>();
        var strings = 0;
        for (; dynamic.Length >= DynamicEntryLength; dynamic = dynamic[DynamicEntryLength..])
        {
            switch ((DynamicTag)BinaryPrimitives.ReadInt64LittleEndian(dynamic))
            {
                case DynamicTag.Needed:
                    names.Add(Number64(dynamic, 8));
                    break;
                case DynamicTag.StringTable:
                    var address = Number64(dynamic, 8);
                    var holder = segments.Find(segment => address >= segment.Address && address - segment.Address < segment.Length);
                    strings = checked(address - holder.Address + holder.Offset);
                    break;
            }
        }
        var needed = new List<string>(names.Count);
        foreach (var name in names)
        {
            needed.Add(Text(file, checked(strings + name)));
        }
        return needed;
    }

    private static ushort Number16(ReadOnlySpan<byte> bytes, int offset) =>
        BinaryPrimitives.ReadUInt16LittleEndian(bytes[offset..]);

    private static int Number64(ReadOnlySpan<byte> bytes, int offset) =>
        checked((int)BinaryPrimitives.ReadUInt64LittleEndian(bytes[offset..]));

    private static string Text(ReadOnlySpan<byte> file, int offset)
    {
        var rest = file[offset..];
        return Encoding.UTF8.GetString(rest[..rest.IndexOf((byte)0)]);
    }

    private readonly record struct Segment(int Offset, int Address, int Length);

    private enum SegmentType : uint
    {
        Load = 1,
        Dynamic = 2,
        Interpreter = 3,
    }

    private enum DynamicTag : long
    {
        Needed = 1,
        StringTable = 5,
    }
}
