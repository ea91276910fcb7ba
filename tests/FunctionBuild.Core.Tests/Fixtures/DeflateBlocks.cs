namespace FunctionBuild.Core.Tests.Fixtures;

/// <summary>Deflate that no compressor would write: any block, code and match that the format allows.</summary>
internal static class DeflateBlocks
{
    /// <summary>Blocks of all types, the same for the same seed.</summary>
    public static DeflateWriter Random(int seed, int blocks = 12, int symbols = 400)
    {
        var random = new Random(seed);
        var writer = new DeflateWriter();
        for (int i = 1; i <= blocks; i++)
        {
            Append(writer, random, random.Next(4), symbols, i == blocks);
        }

        return writer;
    }

    /// <summary>A block: stored, with the fixed codes, with random codes, or with random codes and few literals.</summary>
    public static void Append(DeflateWriter writer, Random random, int kind, int symbols, bool last)
    {
        if (kind == 0)
        {
            byte[] data = new byte[random.Next(symbols)];
            random.NextBytes(data);
            writer.Stored(data, last);
            return;
        }

        if (kind == 1)
        {
            writer.Fixed(last);
        }
        else
        {
            writer.Dynamic(CompleteCode(random, 286), CompleteCode(random, 30), last);
        }

        for (int i = random.Next(symbols); i > 0; i--)
        {
            int written = Math.Min(writer.Length, 32768);
            if (written == 0 || random.Next(kind == 3 ? 10 : 2) == 0)
            {
                writer.Literals((byte)random.Next(256));
                continue;
            }

            // Short distances, where copies overlap, as often as others.
            int distance = 1 + random.Next(random.Next(2) == 0 ? Math.Min(40, written) : written);
            writer.Match(random.Next(8) == 0 ? 258 : 3 + random.Next(random.Next(2) == 0 ? 30 : 256), distance);
        }

        writer.End();
    }

    /// <summary>The lengths of a complete prefix code that has some of length 15, the most there can be.</summary>
    public static int[] CompleteCode(Random random, int symbols)
    {
        var lengths = new List<int>(Enumerable.Range(1, 15).Append(15));
        while (lengths.Count < symbols)
        {
            int index = random.Next(lengths.Count);
            if (lengths[index] < 15)
            {
                lengths.Add(++lengths[index]);
            }
        }

        int[] shuffled = [.. lengths];
        random.Shuffle(shuffled);
        return shuffled;
    }
}
