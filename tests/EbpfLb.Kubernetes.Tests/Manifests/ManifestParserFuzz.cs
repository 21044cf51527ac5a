// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Text;
using EbpfLb.Kubernetes.Manifests;

namespace EbpfLb.Kubernetes.Tests.Manifests;

/// <summary>What the parser promises whatever the bytes are. The suites of the formats run side by side.</summary>
internal static class ManifestParserFuzz
{
    public const int Mutations = 100_000;

    // A thousand times what the small files of the suites take when they are right.
    private const long MaxAllocatedBytes = 64 * 1024 * 1024;

    private static readonly byte[][] Fragments =
    [
        .. new[]
        {
            "---\n", "...\n", "\n", "\t", "  ", "- ", ": ", "{", "}", "[", "]", ",", "\"", "'", "&a ", "*a", "<<: *a\n",
            "!!str ", "!<", "? ", "|\n", ">-\n", "#", "%YAML 1.1\n", "@", "`", "null", "~", "yes", "0x", "-1", "1e999",
            "99999999999999999999", "\\u", "\\ud800", "\ufeff", "\u2028", "\0", "\u0085", "key: value\n", "kind: List\n",
            "items:\n", "\"items\": [", "apiVersion: v1\n", "é", "\r",
        }.Select(Encoding.UTF8.GetBytes),
        [0xff], [0xc3], [0xed, 0xa0, 0x80], [0x80],
    ];

    public static void Run(string file, IReadOnlyList<string> bases, int seed)
    {
        var random = new Random(seed);
        var parser = new ManifestParser();
        for (int i = 0; i < Mutations; i++)
        {
            byte[] content = Mutate(Encoding.UTF8.GetBytes(bases[random.Next(bases.Count)]), random);
            try
            {
                Check(parser, file, content);
            }
            catch (Exception error)
            {
                throw new InvalidOperationException($"Mutation {i} of seed {seed}: {Convert.ToBase64String(content)}", error);
            }
        }
    }

    public static void Check(ManifestParser parser, string file, byte[] content)
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        var manifest = parser.Parse(file, content);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, MaxAllocatedBytes);

        // YAML knows more line breaks than most.
        int lines = 1 + Encoding.UTF8.GetString(content).Count(c => c is '\n' or '\r' or '\u0085' or '\u2028' or '\u2029');
        Assert.All(manifest.Problems, problem =>
        {
            Assert.InRange(problem.Line, 0, lines);
            Assert.DoesNotContain(problem.ToString(), char.IsControl);
            Assert.NotEmpty(problem.Message);
        });
        Assert.True(manifest.InvalidCount + manifest.IgnoredCount >= manifest.Problems.Count);
        Assert.Equal(manifest.Objects.Count, manifest.Objects.Select(item => item.Key).Distinct().Count());
    }

    public static byte[] Mutate(byte[] source, Random random)
    {
        var bytes = new List<byte>(source);
        for (int i = random.Next(1, 4); i > 0; i--)
        {
            int at = random.Next(bytes.Count + 1);
            int length = Math.Min(random.Next(1, 40), bytes.Count - at);
            switch (random.Next(6))
            {
                case 0:
                    bytes.RemoveRange(at, length);
                    break;
                case 1:
                    bytes.InsertRange(random.Next(bytes.Count + 1), bytes.GetRange(at, length));
                    break;
                case 2 when at < bytes.Count:
                    bytes[at] = (byte)random.Next(256);
                    break;
                case 3 when at < bytes.Count:
                    bytes[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 4:
                    bytes.RemoveRange(at, bytes.Count - at);
                    break;
                default:
                    bytes.InsertRange(at, Fragments[random.Next(Fragments.Length)]);
                    break;
            }
        }

        return [.. bytes];
    }
}
