// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Linux.Netlink;
using EbpfLb.Linux.Processes;

namespace EbpfLb.TestSupport;

/// <summary>
/// A network namespace of the test's own. It has no name and is held by this process alone: it goes, devices included, even when the
/// process is killed.
/// </summary>
internal sealed class PrivateNetwork : IDisposable
{
    public NetworkNamespace Namespace { get; } = NetworkNamespace.Create();

    /// <summary>Runs ip(8) inside, with the words of one line.</summary>
    public void Ip(string command) => Start("ip", command.Split(' '));

    /// <summary>Runs tc(8) inside, with the words of one line.</summary>
    public void Tc(string command) => Start("tc", command.Split(' '));

    /// <summary>Runs ethtool(8) inside, with the words of one line.</summary>
    public void Ethtool(string command) => Start("ethtool", command.Split(' '));

    /// <summary>Runs many commands of ip(8) inside, in one process.</summary>
    public void IpBatch(IEnumerable<string> commands)
    {
        using TemporaryDirectory directory = new();
        string file = directory.Combine("commands");
        File.WriteAllLines(file, commands);
        Start("ip", "-batch", file);
    }

    public T Run<T>(Func<T> function) => Namespace.Run(function);

    public void Run(Action action) => Namespace.Run(action);

    public int IndexOf(string name) => Link(name).Index;

    public NetworkLink Link(string name) => Assert.Single(Run(NetworkDump.Links), link => link.Name == name);

    public void Dispose() => Namespace.Dispose();

    private void Start(string program, params string[] arguments)
    {
        // The child gets the namespace of the thread that starts it.
        ProcessResult result = Run(() => new ProcessRunner().RunAsync(program, arguments, Eventually.Timeout()).GetAwaiter().GetResult());
        Assert.True(result.ExitCode == 0, $"{program} {string.Join(' ', arguments)}: {result.StdErr}");
    }
}
