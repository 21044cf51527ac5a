// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Audit;
using EbpfLb.Datapath.Contract;
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

    private Datapath(PinDirectory pins, KernelMaps maps, string programDirectory, Installation installation)
    {
        _pins = pins;
        Maps = maps;
        ProgramDirectory = programDirectory;
        Installation = installation;
    }

    public KernelMaps Maps { get; }

    /// <summary>Where the programs of this build are pinned; see <see cref="ProgramNames"/>.</summary>
    public string ProgramDirectory { get; }

    /// <summary>What is pinned, and what holds the socket programs in place.</summary>
    public Installation Installation { get; }

    /// <summary>Where links are pinned.</summary>
    public string LinkDirectory => _pins.Links;

    public string PinPath => _pins.Path;

    /// <summary>Takes the lock, creates what is missing, loads the programs of this version and puts them in place.</summary>
    /// <exception cref="DatapathException">It cannot be done here; whatever served before still does.</exception>
    public static async Task<Datapath> OpenAsync(
        DatapathOptions options, IBpftool bpftool, ILogger<Datapath> logger, CancellationToken stopping)
    {
        ArgumentNullException.ThrowIfNull(options);
        RequireCapabilities();
        var pins = PinDirectory.OpenOrCreate(options.BpfFs);
        KernelMaps? maps = null;
        Installation? installation = null;
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
                (one, exception) => Log.ObjectRefused(logger, string.Join(", ", one.Programs), exception.Message), stopping)
                .ConfigureAwait(false);
            installation = new Installation(pins, maps.Opened, loader.ProgramDirectory, options.Cgroup);
            var attached = installation.Attach(cgroup);
            loader.RemoveOtherPrograms();
            foreach (string refusal in attached.Refused)
                Log.HookRefused(logger, refusal);
            Log.DatapathReady(logger, pins.Path, cgroup.Path, attached.Created, attached.Updated, attached.Kept);
            return new Datapath(pins, maps, loader.ProgramDirectory, installation);
        }
        catch (BpftoolException exception)
        {
            installation?.Dispose();
            maps?.Dispose();
            pins.Dispose();
            throw new DatapathException(exception.Message, exception);
        }
        catch
        {
            installation?.Dispose();
            maps?.Dispose();
            pins.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        Installation.Dispose();
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
