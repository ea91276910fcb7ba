using System.Text;

namespace FunctionBuild.Core.Runtimes.Oci;

/// <summary>Keeps the end of what a process writes. Safe for concurrent use.</summary>
internal sealed class LogTail
{
    private const int Capacity = 64 * 1024;

    private readonly Lock _gate = new();
    private readonly byte[] _bytes = new byte[Capacity];
    private long _written;

    public void Append(ReadOnlySpan<byte> bytes)
    {
        lock (_gate)
        {
            if (bytes.Length > Capacity)
            {
                _written += bytes.Length - Capacity;
                bytes = bytes[^Capacity..];
            }

            int start = (int)(_written % Capacity);
            int first = Math.Min(bytes.Length, Capacity - start);
            bytes[..first].CopyTo(_bytes.AsSpan(start));
            bytes[first..].CopyTo(_bytes);
            _written += bytes.Length;
        }
    }

    /// <summary>What is kept, as text.</summary>
    public override string ToString()
    {
        lock (_gate)
        {
            if (_written <= Capacity)
            {
                return Encoding.UTF8.GetString(_bytes, 0, (int)_written);
            }

            int start = (int)(_written % Capacity);
            return Encoding.UTF8.GetString([.. _bytes[start..], .. _bytes[..start]]);
        }
    }
}
