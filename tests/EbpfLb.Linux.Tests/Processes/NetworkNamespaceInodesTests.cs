// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Diagnostics;
using EbpfLb.Linux.Files;
using EbpfLb.Linux.Processes;

namespace EbpfLb.Linux.Tests.Processes;

public sealed class NetworkNamespaceInodesTests
{
    [PrivilegedFact]
    public void Each_namespace_has_its_own()
    {
        using NetworkNamespace created = NetworkNamespace.Create();
        Assert.Equal(NetworkNamespaceInodes.Current(), NetworkNamespaceInodes.Current());
        Assert.NotEqual(NetworkNamespaceInodes.Current(), created.Run(NetworkNamespaceInodes.Current));
    }

    [PrivilegedFact]
    public void A_namespace_is_found_by_a_process_in_it_and_by_a_mount_of_it_and_else_not()
    {
        using NetworkNamespace created = NetworkNamespace.Create();
        uint inode = created.Run(NetworkNamespaceInodes.Current);
        Assert.Empty(Find(inode));

        using (Process process = created.Run(() => Process.Start("sleep", "60")))
        {
            Assert.Equal(created.Cookie, CookieOf(Find(inode)[inode]));
            process.Kill();
            process.WaitForExit();
        }

        Assert.Empty(Find(inode));
        using TemporaryDirectory directory = new();
        string mount = directory.Combine("mount");
        File.WriteAllText(mount, "");
        using (Process bind = Process.Start("mount", ["--bind", created.Path, mount]))
            bind.WaitForExit();
        try
        {
            Assert.Equal(mount, Find(inode)[inode]);
            Assert.Equal(created.Cookie, CookieOf(mount));
        }
        finally
        {
            Mounts.Unmount(mount);
        }
    }

    [PrivilegedFact]
    public void Those_that_are_not_asked_for_are_not_given()
    {
        uint own = NetworkNamespaceInodes.Current();
        Assert.Equal([own], NetworkNamespaceInodes.Find(new HashSet<uint> { own, 1 }).Keys);
        Assert.Empty(NetworkNamespaceInodes.Find(new HashSet<uint>()));
    }

    private static IReadOnlyDictionary<uint, string> Find(uint inode) => NetworkNamespaceInodes.Find(new HashSet<uint> { inode });

    private static ulong CookieOf(string path)
    {
        using NetworkNamespace found = NetworkNamespace.Open(path);
        return found.Cookie;
    }
}
