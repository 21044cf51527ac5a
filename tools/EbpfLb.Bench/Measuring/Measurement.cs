// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Bench.Measuring;

/// <param name="Part">What was running.</param>
/// <param name="Name">What the figure says.</param>
/// <param name="Spread">Of repeated measurements; null for a single one.</param>
/// <param name="Method">How it was obtained, in a line.</param>
internal sealed record Measurement(string Part, string Name, double Value, string Unit, string Method, string? Spread = null, Bar? Bar = null)
{
    public bool? Met => Bar?.IsMetBy(Value);
}
