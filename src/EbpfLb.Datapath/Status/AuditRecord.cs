// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Contract;
using EbpfLb.Linux.Bpf;

namespace EbpfLb.Datapath.Status;

/// <summary>audit_v1 as the agent keeps it: field by field, because commands count <see cref="AuditValue.Asked"/> up meanwhile.</summary>
public interface IAuditRecord
{
    /// <summary>How often commands asked for an audit.</summary>
    ulong Asked { get; }

    /// <summary>The last of them that was answered, by this agent or one before it.</summary>
    ulong Answered { get; }

    /// <param name="answered"><see cref="Asked"/>, as it was when the audit began.</param>
    void Ended(ulong answered, ulong nowNs, int differed, int left);

    void PutBack(int count);
}

public sealed class AuditRecord : IAuditRecord
{
    private readonly BpfMappedArray _array;

    // What an agent before this one did is not ours to show.
    public AuditRecord(BpfMappedArray array)
    {
        ArgumentNullException.ThrowIfNull(array);
        _array = array;
        ref var value = ref Value;
        (value.EndedNs, value.Runs, value.Repaired, value.PutBack, value.Differed, value.Left) = (0, 0, 0, 0, 0, 0);
    }

    public ulong Asked => Volatile.Read(ref Value.Asked);

    public ulong Answered => Volatile.Read(ref Value.Answered);

    private ref AuditValue Value => ref _array.At<AuditValue>(0);

    public void Ended(ulong answered, ulong nowNs, int differed, int left)
    {
        ref var value = ref Value;
        value.Runs++;
        value.Repaired += (ulong)(differed - left);
        value.Differed = (uint)differed;
        value.Left = (uint)left;
        value.EndedNs = nowNs;
        // Last: whoever waits for it reads the others then.
        Volatile.Write(ref value.Answered, answered);
    }

    public void PutBack(int count) => Value.PutBack += (ulong)count;
}
