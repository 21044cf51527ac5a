// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Globalization;
using EbpfLb.Datapath.Maps;
using EbpfLb.LoadBalancing.Desired;
using EbpfLb.LoadBalancing.Maglev;
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.Scenarios.Tests;

/// <summary>The options section: <c>key: value</c> lines.</summary>
internal sealed record ScenarioOptions
{
    /// <summary>As written.</summary>
    public string Text { get; private init; } = "";

    public DesiredStateOptions Desired { get; private init; } = new() { NodeName = "node1" };

    public IReadOnlyDictionary<string, uint> MapSizes { get; private init; } = new Dictionary<string, uint>();

    public static ScenarioOptions Parse(string text)
    {
        var desired = new DesiredStateOptions { NodeName = "node1" };
        var sizes = new Dictionary<string, uint>();
        foreach (string line in text.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            int colon = line.IndexOf(':', StringComparison.Ordinal);
            string value = line[(colon + 1)..].Trim();
            switch (colon < 0 ? "" : line[..colon])
            {
                case "node":
                    desired = desired with { NodeName = value };
                    break;
                case "algorithm":
                    desired = desired with { DefaultAlgorithm = Enum.Parse<Algorithm>(value, ignoreCase: true) };
                    break;
                case "maglev-table-size":
                    desired = desired with { Maglev = new MaglevOptions { TableSize = int.Parse(value, CultureInfo.InvariantCulture) } };
                    break;
                case "allow-node-external-ips":
                    desired = desired with { AllowNodeExternalIPs = bool.Parse(value) };
                    break;
                case string map when MapNames.All.Contains(map):
                    sizes[map] = uint.Parse(value, CultureInfo.InvariantCulture);
                    break;
                default:
                    throw new FormatException($"'{line}' is not an option: node, algorithm, maglev-table-size, allow-node-external-ips or the name of a map.");
            }
        }

        return new ScenarioOptions { Text = text, Desired = desired, MapSizes = sizes };
    }
}
