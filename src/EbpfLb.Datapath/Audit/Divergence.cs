// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Datapath.Audit;

/// <summary>Something in the kernel that is not as it should be.</summary>
/// <param name="Where">A map, or one of <see cref="Installation"/>'s words for what is no map.</param>
/// <param name="Key">For people. Ids stand in it only where nothing else names the entry.</param>
/// <param name="Service">Whose it is, such as shop/web:http TCP IPv4; empty when it is nobody's alone.</param>
/// <param name="Expected">Empty when there should be nothing, or the key says all.</param>
/// <param name="Actual">Empty when there is nothing, or the key says all.</param>
public sealed record Divergence(string Where, DivergenceKind Kind, string Key, string Service, string Expected = "", string Actual = "")
{
    /// <summary>Names the map, the key and the service.</summary>
    public override string ToString()
    {
        string whose = Service.Length == 0 ? "" : $" of {Service}";
        string values = Expected.Length + Actual.Length == 0 ? "" : $" ({Quoted(Actual)}, should be {Quoted(Expected)})";
        return $"{Where}: {Key}{whose} {Words(Kind)}{values}";
    }

    private static string Quoted(string value) => value.Length == 0 ? "nothing" : value;

    private static string Words(DivergenceKind kind) => kind switch
    {
        DivergenceKind.Missing => "is missing",
        DivergenceKind.Extra => "should not be there",
        _ => "is changed",
    };
}

public enum DivergenceKind
{
    Missing,

    /// <summary>Nobody wants it.</summary>
    Extra,

    Changed,
}
