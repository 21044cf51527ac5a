// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Loading;
using EbpfLb.Linux.Bpf;
using EbpfLb.Linux.Netlink;

namespace EbpfLb.Datapath.Features;

/// <summary>Which of <see cref="FeatureNeed.All"/> this kernel has.</summary>
public sealed class KernelFeatures
{
    /// <summary>The oldest Linux that has all that is required.</summary>
    public const string MinimumKernel = "6.1";

    private const int BPF_FUNC_get_netns_cookie = 122;
    private const int BPF_FUNC_for_each_map_elem = 164;
    private const int BPF_FUNC_set_retval = 187;

    private const string ReleaseFile = "/proc/sys/kernel/osrelease";

    private readonly IReadOnlySet<KernelFeature> _present;

    public KernelFeatures(string release, IReadOnlySet<KernelFeature> present)
    {
        Release = release;
        _present = present;
    }

    /// <summary>Of the kernel, such as 6.1.0-50-amd64.</summary>
    public string Release { get; }

    public IReadOnlyList<FeatureNeed> Missing => [.. FeatureNeed.All.Where(need => !Has(need.Feature))];

    /// <summary>Each feature, and whether it is there, on one line.</summary>
    public string Table => string.Join(", ", FeatureNeed.All.Select(need => Has(need.Feature)
        ? $"{need.Name} yes"
        : $"{need.Name} no ({need.Without ?? $"required, Linux {need.Since}"})"));

    /// <summary>Asks the running kernel.</summary>
    /// <param name="without">To be treated as if they were missing.</param>
    /// <param name="requiredToo">False: only what is cheap to ask for, and asked for without loading a program, is looked at.</param>
    public static KernelFeatures Probe(IReadOnlySet<KernelFeature> without, bool requiredToo = true)
    {
        ArgumentNullException.ThrowIfNull(without);
        var present = FeatureNeed.All
            .Where(need => !without.Contains(need.Feature) && ((need.IsRequired && !requiredToo) || IsPresent(need.Feature)))
            .Select(need => need.Feature).ToHashSet();
        return new KernelFeatures(ReadRelease(), present);
    }

    public bool Has(KernelFeature feature) => _present.Contains(feature);

    /// <exception cref="DatapathException">The datapath cannot work here; all that is missing is named.</exception>
    public void Require()
    {
        var missing = Missing.Where(need => need.IsRequired).ToArray();
        if (missing.Length > 0)
        {
            throw new DatapathException(
                $"Linux {Release} lacks what the datapath cannot do without: "
                + string.Join(", ", missing.Select(need => $"{need.Name} (Linux {need.Since})"))
                + $". Nothing was loaded. Run it on Linux {MinimumKernel} or later.");
        }
    }

    private static string ReadRelease()
    {
        try
        {
            return File.ReadAllText(ReleaseFile).Trim();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return Environment.OSVersion.Version.ToString();
        }
    }

    private static bool IsPresent(KernelFeature feature) => feature switch
    {
        KernelFeature.Links => BpfProbe.HasLinks(),
        KernelFeature.SetRetval => BpfProbe.HasHelper(BpfProgramType.CgroupSockAddr, BpfAttachType.CgroupInet4Connect, BPF_FUNC_set_retval),
        KernelFeature.NetnsCookie =>
            BpfProbe.HasHelper(BpfProgramType.CgroupSockAddr, BpfAttachType.CgroupInet4Connect, BPF_FUNC_get_netns_cookie),
        KernelFeature.ForEachElement => BpfProbe.HasHelper(BpfProgramType.SchedCls, default, BPF_FUNC_for_each_map_elem),
        KernelFeature.SyscallPrograms => BpfProbe.HasProgramType(BpfProgramType.Syscall, sleepable: true),
        KernelFeature.Tcx => BpfProbe.HasTcx(),
        KernelFeature.KernelTypes => BpfProbe.HasKernelTypes(),
        KernelFeature.DriverFeatures => NetdevFeatures.IsPresent(),
        _ => throw new ArgumentOutOfRangeException(nameof(feature), feature, null),
    };
}
