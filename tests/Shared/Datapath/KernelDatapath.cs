// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Features;
using EbpfLb.Datapath.Loading;
using EbpfLb.Linux.Processes;
using Microsoft.Extensions.Logging.Abstractions;
using OpenDatapath = EbpfLb.Datapath.Loading.Datapath;

namespace EbpfLb.TestSupport;

/// <summary>A BPF file system and a cgroup of the test's own, on which datapaths can be opened.</summary>
internal sealed class KernelDatapath : IDisposable
{
    private readonly PrivateBpffs _bpffs = new();
    private readonly ChildCgroup _cgroup = new();

    public string BpfFs => _bpffs.Path;

    public ChildCgroup Cgroup => _cgroup;

    public string Pins => Path.Combine(_bpffs.Path, "ebpflb");

    public DatapathOptions Options => new() { BpfFs = _bpffs.Path, Cgroup = _cgroup.Path };

    public Task<OpenDatapath> OpenAsync(IReadOnlyDictionary<string, uint>? sizes = null, string? cgroup = null, IReadOnlyList<KernelFeature>? without = null) =>
        OpenAsync(Options with
        {
            Cgroup = cgroup ?? _cgroup.Path,
            MapSizes = sizes ?? new Dictionary<string, uint>(),
            WithoutFeatures = new HashSet<KernelFeature>(without ?? []),
        });

    public static Task<OpenDatapath> OpenAsync(DatapathOptions options) => OpenDatapath.OpenAsync(
        options, new Bpftool(Bpftool.Locate(null), new ProcessRunner()), NullLogger<OpenDatapath>.Instance, CancellationToken.None);

    public void Dispose()
    {
        _bpffs.Dispose();
        _cgroup.Dispose();
    }
}
