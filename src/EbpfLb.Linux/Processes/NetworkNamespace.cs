// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using Microsoft.Win32.SafeHandles;

namespace EbpfLb.Linux.Processes;

/// <summary>
/// A network namespace, which is a property of a thread; sockets and links stay in the one they were made in. An open one lives on without
/// processes, so one that was created here goes with this handle and what was made inside.
/// </summary>
public sealed class NetworkNamespace : IDisposable
{
    private readonly SafeFileHandle _handle;

    private NetworkNamespace(SafeFileHandle handle)
    {
        _handle = handle;
        try
        {
            Cookie = Run(CurrentCookie);
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    /// <summary>The kernel's id, never reused until the next boot; what bpf_get_netns_cookie gives.</summary>
    public ulong Cookie { get; }

    /// <summary>For other processes to enter (nsenter --net=PATH), while this handle is open.</summary>
    public string Path => $"/proc/{Environment.ProcessId}/fd/{_handle.DangerousGetHandle()}";

    /// <summary>The cookie of the calling thread's namespace, which is the process's unless the thread entered another.</summary>
    public static ulong CurrentCookie() => NamespaceSyscalls.Cookie();

    /// <summary>For instance /proc/PID/ns/net or /run/netns/NAME. Takes CAP_SYS_ADMIN.</summary>
    public static NetworkNamespace Open(string path)
        => new(File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));

    /// <summary>A new one, without anything but a loopback that is down. Takes CAP_SYS_ADMIN.</summary>
    public static NetworkNamespace Create()
        => new(OnThread(() =>
        {
            NamespaceSyscalls.Unshare();
            return File.OpenHandle("/proc/thread-self/ns/net", FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        }));

    /// <summary>Runs the function inside, on a thread that ends with it, and waits. What it starts in the background is not inside.</summary>
    public T Run<T>(Func<T> function)
        => OnThread(() =>
        {
            NamespaceSyscalls.Enter(_handle);
            return function();
        });

    /// <inheritdoc cref="Run{T}(Func{T})"/>
    public void Run(Action action)
        => Run(() =>
        {
            action();
            return 0;
        });

    public void Dispose() => _handle.Dispose();

    // A thread that entered a namespace is given back to nobody.
    private static T OnThread<T>(Func<T> function) => SingleUseThread.Run("network namespace", function);
}
