using System.Text;

namespace FunctionBuild.Core.Tests.Fixtures;

/// <summary>One tar header block; every field can also be given a value that no tar writer would write.</summary>
internal sealed record TarHeader(string Name)
{
    public const int BlockSize = 512;

    public char Type { get; init; } = '0';

    public long Size { get; init; }

    public string LinkName { get; init; } = string.Empty;

    public string Prefix { get; init; } = string.Empty;

    /// <summary>Magic and version: POSIX's by default, <c>"ustar  \0"</c> for GNU, eight NULs for the seventh edition.</summary>
    public string Magic { get; init; } = "ustar\000";

    /// <summary>The twelve bytes of the size field, when they are not to be octal digits.</summary>
    public byte[]? SizeField { get; init; }

    public byte[] ToBlock()
    {
        byte[] block = new byte[BlockSize];
        Put(block, 0, Name);
        Put(block, 100, "0000644\0");
        Put(block, 108, "0000000\0");
        Put(block, 116, "0000000\0");
        Put(block, 124, Convert.ToString(Size, 8).PadLeft(11, '0'));
        SizeField?.CopyTo(block, 124);
        Put(block, 136, "00000000001\0");
        Put(block, 148, "        ");
        block[156] = (byte)Type;
        Put(block, 157, LinkName);
        Put(block, 257, Magic);
        Put(block, 345, Prefix);
        Put(block, 148, Convert.ToString(block.Sum(b => (int)b), 8).PadLeft(6, '0') + "\0 ");
        return block;
    }

    private static void Put(byte[] block, int offset, string text) => Encoding.UTF8.GetBytes(text).CopyTo(block, offset);
}
