namespace FunctionBuild.Core.Tests.Fixtures;

/// <summary>The integrity check of an xz stream's blocks, by its id in the format.</summary>
internal enum XzCheck
{
    None = 0,
    Crc32 = 1,
    Crc64 = 4,
    Sha256 = 10,
}
