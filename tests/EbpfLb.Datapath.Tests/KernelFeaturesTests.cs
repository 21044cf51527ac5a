// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Features;
using EbpfLb.Datapath.Loading;

namespace EbpfLb.Datapath.Tests;

public sealed class KernelFeaturesTests
{
    public static TheoryData<KernelFeature> Required => [.. FeatureNeed.All.Where(need => need.IsRequired).Select(need => need.Feature)];

    public static TheoryData<KernelFeature> Replaceable => [.. FeatureNeed.All.Where(need => !need.IsRequired).Select(need => need.Feature)];

    [Fact]
    public void S173_a_kernel_without_anything_is_refused_with_all_that_is_missing()
    {
        var features = new KernelFeatures("5.4.0", new HashSet<KernelFeature>());

        string message = Assert.Throws<DatapathException>(features.Require).Message;
        Assert.Equal(
            "Linux 5.4.0 lacks what the datapath cannot do without: links (Linux 5.9), set-retval (Linux 6.1), netns-cookie (Linux 5.7), "
            + "for-each-element (Linux 5.13), syscall-programs (Linux 5.14). Nothing was loaded. Run it on Linux 6.1 or later.",
            message);
    }

    [Fact]
    public void S173_the_table_names_every_feature_and_what_takes_its_place()
    {
        var features = new KernelFeatures(
            "6.1.0", FeatureNeed.All.Select(need => need.Feature).Where(feature => feature != KernelFeature.Tcx).ToHashSet());

        features.Require();
        Assert.Equal(
            "links yes, set-retval yes, netns-cookie yes, for-each-element yes, syscall-programs yes, "
            + "tcx no (filters of clsact take its place), kernel-types yes, driver-features yes",
            features.Table);
        Assert.DoesNotContain('\n', features.Table);
    }

    [Fact]
    public void The_minimum_is_the_newest_of_what_is_required() => Assert.Equal(
        Version.Parse(KernelFeatures.MinimumKernel), FeatureNeed.All.Where(need => need.IsRequired).Max(need => Version.Parse(need.Since)));

    [PrivilegedTheory]
    [MemberData(nameof(Required))]
    public async Task S173_without_a_feature_that_is_required_nothing_is_loaded(KernelFeature feature)
    {
        using var kernel = new KernelDatapath();

        var exception = await Assert.ThrowsAsync<DatapathException>(() => kernel.OpenAsync(without: [feature]));
        var need = FeatureNeed.All.Single(one => one.Feature == feature);
        Assert.Contains($"cannot do without: {need.Name} (Linux {need.Since}). ", exception.Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(kernel.Pins), "the agent left something behind");
    }

    [PrivilegedTheory]
    [MemberData(nameof(Replaceable))]
    public async Task S173_without_a_feature_that_can_be_replaced_the_datapath_opens(KernelFeature feature)
    {
        using var kernel = new KernelDatapath();
        using var datapath = await kernel.OpenAsync(without: [feature]);

        Assert.False(datapath.Features.Has(feature));
        Assert.Contains($"{FeatureNeed.All.Single(one => one.Feature == feature).Name} no (", datapath.Features.Table, StringComparison.Ordinal);
        Assert.Equal(feature != KernelFeature.KernelTypes, File.Exists(Path.Combine(datapath.ProgramDirectory, "sock_dead")));
    }

    [PrivilegedFact]
    public void This_kernel_has_all_of_it()
    {
        var features = KernelFeatures.Probe(new HashSet<KernelFeature>());

        Assert.Empty(features.Missing);
        Assert.Equal(File.ReadAllText("/proc/sys/kernel/osrelease").Trim(), features.Release);
    }
}
