// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Agent;

/// <summary>Set by a part that died, read when the host has stopped.</summary>
internal sealed class ExitStatus
{
    private volatile bool _failed;

    public bool Failed
    {
        get => _failed;
        set => _failed = value;
    }
}
