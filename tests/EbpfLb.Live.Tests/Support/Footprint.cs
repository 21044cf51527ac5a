// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Globalization;

namespace EbpfLb.Live.Tests.Support;

/// <summary>What an agent holds of the machine.</summary>
/// <param name="Files">Descriptors it has open.</param>
/// <param name="BpfFiles">Those of them that are maps, programs or links.</param>
/// <param name="Pins">Files under its pin directory.</param>
/// <param name="ResidentMB">VmRSS.</param>
internal sealed record Footprint(int Files, int BpfFiles, int Pins, double ResidentMB)
{
    public static Footprint Read(LiveAgent agent)
    {
        string[] targets = [.. Directory.EnumerateFiles($"/proc/{agent.Pid}/fd").Select(Target)];
        string resident = File.ReadLines($"/proc/{agent.Pid}/status").Single(line => line.StartsWith("VmRSS:", StringComparison.Ordinal));
        return new Footprint(
            targets.Length,
            targets.Count(target => target.Contains("bpf", StringComparison.Ordinal)),
            Directory.EnumerateFiles(agent.Pins, "*", SearchOption.AllDirectories).Count(),
            double.Parse(resident.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) / 1024);
    }

    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{Files} descriptors, {BpfFiles} of BPF, {Pins} pins, {ResidentMB:F0} MB");

    private static string Target(string link)
    {
        try
        {
            return new FileInfo(link).LinkTarget ?? "";
        }
        catch (IOException)
        {
            return ""; // Closed since it was listed.
        }
    }
}
