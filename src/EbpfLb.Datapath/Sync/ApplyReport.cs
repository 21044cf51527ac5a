// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Datapath.Sync;

/// <param name="Services">Service objects looked at.</param>
/// <param name="MapWrites">System calls that write a map, failed ones included. Slots are written without any.</param>
/// <param name="Failures">Every service that is not as desired, not only those of this run.</param>
/// <param name="HasLeftovers">Deletions that failed and have to be tried again.</param>
public sealed record ApplyReport(int Services, long MapWrites, IReadOnlyCollection<SyncFailure> Failures, bool HasLeftovers)
{
    public bool IsClean => Failures.Count == 0 && !HasLeftovers;
}
