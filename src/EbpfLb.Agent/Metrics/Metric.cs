// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Agent.Metrics;

/// <summary>One series, or the series of one histogram. Any thread may change it; that allocates nothing and takes no lock.</summary>
internal abstract class Metric
{
    /// <param name="labels">As they are written between the braces; may be empty.</param>
    public abstract void Write(Exposition exposition, string name, string labels);
}
