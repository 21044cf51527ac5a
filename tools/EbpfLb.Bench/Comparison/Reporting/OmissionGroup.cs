// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Bench.Comparison.Results;

namespace EbpfLb.Bench.Comparison.Reporting;

/// <summary>What a run left out for one reason, in words.</summary>
internal sealed record OmissionGroup(string What, string Modes, string Services, string Reason)
{
    public static IEnumerable<OmissionGroup> Of(Results.Comparison run) =>
        from omission in run.NotMeasured
        group omission by (omission.Measure, omission.Reason) into same
        let modes = same.Select(omission => omission.Mode).Distinct()
        let counts = same.Select(omission => omission.Services).Distinct().Order()
        select new OmissionGroup(
            Measure.All.FirstOrDefault(measure => measure.Id == same.Key.Measure)?.Title ?? same.Key.Measure,
            string.Join(", ", modes.Select(Words.Name)),
            string.Join(", ", counts.Select(Words.Count)) + " services",
            same.Key.Reason);
}
