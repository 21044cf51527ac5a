// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Globalization;

namespace EbpfLb.Bench.Packets;

/// <summary>What the generator sends.</summary>
/// <param name="Destination">Of the first flow.</param>
/// <param name="Count">Different flows, taken in turn; 0: every packet begins a new one.</param>
internal sealed record Flows(string Destination, int Count)
{
    public const int Port = 80;

    private const string Clients = "198.51.100.1";
    private const string ClientsV6 = "2001:db8:2::1";
    private const string Strangers = "20.0.0.0";
    private const string StrangersV6 = "2001:db8:3::";

    public string Protocol { get; init; } = "udp";

    public string TcpFlags { get; init; } = "syn";

    /// <summary>Addresses from <see cref="Destination"/> on that the flows are spread over.</summary>
    public int Destinations { get; init; } = 1;

    /// <summary>Established TCP flows that one of so many packets belongs to; 0: none.</summary>
    public int Every { get; init; }

    public int MixedCount { get; init; }

    private bool IsV6 => Destination.Contains(':', StringComparison.Ordinal);

    private string Source => (Count, IsV6) switch
    {
        (0, false) => Strangers,
        (0, true) => StrangersV6,
        (_, false) => Clients,
        (_, true) => ClientsV6,
    };

    public IEnumerable<string> Arguments()
    {
        yield return "--protocol";
        yield return Protocol;
        yield return "--tcp-flags";
        yield return TcpFlags;
        yield return "--from";
        yield return Pair.AroundMac;
        yield return "--to";
        yield return Pair.NodeMac;
        yield return "--source";
        yield return Source;
        yield return "--destination";
        yield return Destination;
        yield return "--destinations";
        yield return Text(Destinations);
        yield return "--port";
        yield return Text(Port);
        yield return "--flows";
        yield return Text(Count);
        if (Every == 0)
            yield break;

        yield return "--every";
        yield return Text(Every);
        yield return "--mixed-source";
        yield return Clients;
        yield return "--mixed-flows";
        yield return Text(MixedCount);
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
