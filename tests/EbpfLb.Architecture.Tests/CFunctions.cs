// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Architecture.Tests;

/// <summary>Finds functions by the format of the tree: their braces stand alone in the first column, and no others do.</summary>
internal static class CFunctions
{
    /// <param name="Line">Of its opening brace.</param>
    /// <param name="Length">Its braces included.</param>
    public readonly record struct Function(string File, int Line, int Length);

    public static IEnumerable<Function> In(string file, string[] lines)
    {
        int start = -1;
        for (int i = 0; i < lines.Length; i++)
        {
            if (lines[i] == "{")
                start = i;
            else if (lines[i] == "}" && start >= 0)
            {
                yield return new Function(file, start + 1, i - start + 1);
                start = -1;
            }
        }
    }
}
