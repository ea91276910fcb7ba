namespace FunctionBuild.Core.Tarballs;

/// <summary>A tar header that claims an absurd size.</summary>
internal sealed class HeaderTooLargeException(ulong size) : IOException("The header is too large.")
{
    public ulong Size { get; } = size;
}
