namespace FunctionBuild.Core.Tarballs;

/// <summary>A tar header that claims an absurd size.</summary>
internal sealed class HeaderTooLargeException(long size) : IOException("The header is too large.")
{
    public long Size { get; } = size;
}
