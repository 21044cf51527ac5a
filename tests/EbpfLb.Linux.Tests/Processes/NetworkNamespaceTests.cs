// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Linux.Netlink;
using EbpfLb.Linux.Processes;

namespace EbpfLb.Linux.Tests.Processes;

public sealed class NetworkNamespaceTests
{
    [Fact]
    public void The_cookie_of_this_namespace_is_always_the_same()
    {
        Assert.NotEqual(0ul, NetworkNamespace.CurrentCookie());
        Assert.Equal(NetworkNamespace.CurrentCookie(), NetworkNamespace.CurrentCookie());
    }

    [PrivilegedFact]
    public void A_namespace_is_the_same_by_every_path()
    {
        using NetworkNamespace own = NetworkNamespace.Open("/proc/self/ns/net");
        using NetworkNamespace created = NetworkNamespace.Create();
        using NetworkNamespace reopened = NetworkNamespace.Open(created.Path);

        Assert.Equal(NetworkNamespace.CurrentCookie(), own.Cookie);
        Assert.Equal(created.Cookie, reopened.Cookie);
        Assert.NotEqual(own.Cookie, created.Cookie);
        Assert.Equal(created.Cookie, created.Run(NetworkNamespace.CurrentCookie));
    }

    [PrivilegedFact]
    public void What_runs_inside_leaves_the_caller_where_it_was()
    {
        ulong before = NetworkNamespace.CurrentCookie();
        using NetworkNamespace created = NetworkNamespace.Create();

        Assert.DoesNotContain(created.Run(NetworkDump.Links), link => link.IsUp);
        Assert.Throws<InvalidOperationException>(() => created.Run(() => throw new InvalidOperationException("inside")));
        Assert.Equal(before, NetworkNamespace.CurrentCookie());
    }

    [PrivilegedFact]
    public async Task Other_processes_enter_by_the_path()
    {
        using NetworkNamespace created = NetworkNamespace.Create();

        ProcessResult result = await new ProcessRunner().RunAsync(
            "nsenter", [$"--net={created.Path}", "readlink", "/proc/self/ns/net"], Eventually.Timeout());

        Assert.Equal(0, result.ExitCode);
        Assert.Equal(created.Run(() => File.ResolveLinkTarget("/proc/thread-self/ns/net", false)!.Name), Path.GetFileName(result.StdOut.Trim()));
    }

    [PrivilegedFact]
    public void What_is_no_namespace_of_networks_is_refused()
    {
        LinuxException exception = Assert.Throws<LinuxException>(() => NetworkNamespace.Open("/proc/self/ns/uts"));
        Assert.Equal(Errno.EINVAL, exception.Errno);
        Assert.StartsWith("enter a network namespace", exception.Message, StringComparison.Ordinal);
    }
}
