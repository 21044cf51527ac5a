// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Contract;
using EbpfLb.Datapath.Features;
using EbpfLb.Datapath.Maps;
using EbpfLb.Linux.Processes;
using Microsoft.Extensions.Logging;

namespace EbpfLb.Datapath.Loading;

/// <summary>
/// The maps and programs of this node, in place. Disposing it gives back descriptors and the lock; the pins stay, and with them everything
/// the kernel does.
/// </summary>
public sealed class Datapath : IDisposable
{
    private readonly PinDirectory _pins;

    private Datapath(PinDirectory pins, KernelFeatures features, KernelMaps maps, string programDirectory)
    {
        _pins = pins;
        Features = features;
        Maps = maps;
        ProgramDirectory = programDirectory;
    }

    public KernelFeatures Features { get; }

    public KernelMaps Maps { get; }

    /// <summary>Where the programs of this build are pinned; see <see cref="ProgramNames"/>.</summary>
    public string ProgramDirectory { get; }

    /// <summary>Where links are pinned.</summary>
    public string LinkDirectory => _pins.Links;

    /// <summary>Where the programs of tc filters are pinned, on kernels without tcx.</summary>
    public string FilterDirectory => _pins.Filters;

    public string PinPath => _pins.Path;

    /// <summary>Takes the lock, creates what is missing, loads the programs of this version and puts them in place.</summary>
    /// <exception cref="DatapathException">It cannot be done here; whatever served before still does.</exception>
    public static async Task<Datapath> OpenAsync(
        DatapathOptions options, IBpftool bpftool, ILogger<Datapath> logger, CancellationToken stopping)
    {
        ArgumentNullException.ThrowIfNull(options);
        RequireCapabilities();
        var features = KernelFeatures.Probe(options.WithoutFeatures);
        Log.Features(logger, features.Release, features.Table);
        features.Require();
        var pins = PinDirectory.OpenOrCreate(options.BpfFs);
        KernelMaps? maps = null;
        try
        {
            pins.Lock();
            using var cgroup = BpfFileSystems.OpenCgroup(options.Cgroup);
            using var loader = new ObjectLoader(pins, bpftool);
            await loader.EnsureMapsAsync(options.MapSizes, stopping).ConfigureAwait(false);
            maps = KernelMaps.Open(pins.Path, writable: true);
            // From here on 'status' sees an agent; it must not take the last one's syncs for this one's.
            maps.Agent.At<AgentValue>(0).Syncs = 0;
            foreach (var info in maps.Infos)
            {
                if (options.MapSizes.TryGetValue(info.Name, out uint size) && size != info.MaxEntries)
                    Log.MapKeepsItsSize(logger, info.Name, info.MaxEntries, size);
            }

            await loader.EnsureProgramsAsync(
                features.Has(KernelFeature.KernelTypes), (one, exception) => Log.ObjectRefused(logger, string.Join(", ", one.Programs), exception.Message), stopping)
                .ConfigureAwait(false);
            var attached = new SocketHookLinks(pins, cgroup).Attach(loader.ProgramDirectory);
            loader.RemoveOtherPrograms();
            Log.DatapathReady(logger, pins.Path, cgroup.Path, attached.Created, attached.Updated, attached.Kept);
            return new Datapath(pins, features, maps, loader.ProgramDirectory);
        }
        catch (BpftoolException exception)
        {
            maps?.Dispose();
            pins.Dispose();
            throw new DatapathException(exception.Message, exception);
        }
        catch
        {
            maps?.Dispose();
            pins.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        Maps.Dispose();
        _pins.Dispose();
    }

    private static void RequireCapabilities()
    {
        var missing = Capabilities.MissingForBpf();
        if (missing.Count > 0)
        {
            throw new DatapathException(
                $"This process lacks {string.Join(", ", missing)}, which loading and attaching BPF programs takes. Run it as root, or give it "
                + "CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON (in a pod: securityContext.capabilities.add).");
        }
    }
}
