using FunctionBuild.Core.Content;
using FunctionBuild.Core.Tests.Fixtures;

namespace FunctionBuild.Core.Tests.Content;

public sealed class GzipCrcTests
{
    [Fact]
    public void The_check_value_is_that_of_the_catalogue() => Assert.Equal(0xCBF43926, GzipCrc.Append(0, "123456789"u8));

    [Fact]
    public void Every_length_and_alignment_gives_what_single_bytes_give()
    {
        byte[] bytes = FixtureImage.Noise("crc", 700);

        for (int start = 0; start < 3; start++)
        {
            uint expected = 0;
            for (int length = 0; start + length < bytes.Length; length++)
            {
                Assert.Equal(expected, GzipCrc.Append(0, bytes.AsSpan(start, length)));
                expected = GzipCrc.Append(expected, bytes.AsSpan(start + length, 1));
            }
        }
    }

    [Fact]
    public void It_goes_on_from_what_came_before()
    {
        byte[] bytes = FixtureImage.Noise("crc", 4000);
        uint whole = GzipCrc.Append(0, bytes);

        for (int cut = 0; cut <= bytes.Length; cut += 37)
        {
            Assert.Equal(whole, GzipCrc.Append(GzipCrc.Append(0, bytes.AsSpan(0, cut)), bytes.AsSpan(cut)));
        }
    }
}
