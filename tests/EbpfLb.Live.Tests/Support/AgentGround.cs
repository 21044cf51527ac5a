// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Live.Tests.Support;

/// <summary>What an agent needs when no traffic is wanted.</summary>
internal sealed class AgentGround : IDisposable
{
    private readonly PrivateBpffs _bpffs = new();
    private readonly ChildCgroup _cgroup = new();
    private readonly TemporaryDirectory _directory = new();

    public AgentGround()
    {
        Manifests = new ManifestFiles(_directory.Combine("manifests"));
    }

    public string BpfFs => _bpffs.Path;

    public string Cgroup => _cgroup.Path;

    public ManifestFiles Manifests { get; }

    /// <summary>A path under which there is nothing yet.</summary>
    public string Combine(string name) => _directory.Combine(name);

    public LiveAgent Agent(string? bpffs = null, string? cgroup = null, params IReadOnlyList<string> options) =>
        new(bpffs ?? BpfFs, cgroup ?? Cgroup, Manifests, options);

    public void Dispose()
    {
        _directory.Dispose();
        _bpffs.Dispose();
        _cgroup.Dispose();
    }
}
