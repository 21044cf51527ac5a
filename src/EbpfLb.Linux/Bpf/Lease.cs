// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Runtime.InteropServices;

namespace EbpfLb.Linux.Bpf;

/// <summary>
/// Keeps a handle open while its number is inside an attribute struct, where no marshaller can see it. Usage:
/// <c>using var lease = new Lease(handle);</c>.
/// </summary>
internal ref struct Lease
{
    private readonly SafeHandle _handle;
    private bool _held;

    public Lease(SafeHandle handle)
    {
        _handle = handle;
        handle.DangerousAddRef(ref _held);
    }

    public readonly uint Descriptor => (uint)_handle.DangerousGetHandle();

    public void Dispose()
    {
        if (!_held)
            return;
        _held = false;
        _handle.DangerousRelease();
    }
}
