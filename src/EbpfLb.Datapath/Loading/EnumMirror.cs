// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Datapath.Loading;

public sealed record EnumMirror(string CName, string Prefix, IReadOnlyDictionary<string, long> Values)
{
    public static EnumMirror Of<T>(string cName, string prefix)
        where T : struct, Enum =>
        new(cName, prefix, Enum.GetValues<T>()
            .Select(value => (Name: value.ToString(), Value: Convert.ToInt64(value, System.Globalization.CultureInfo.InvariantCulture)))
            .ToDictionary(entry => entry.Name, entry => entry.Value));
}
