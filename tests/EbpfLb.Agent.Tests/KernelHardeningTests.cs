// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Agent.Tests;

public sealed class KernelHardeningTests : IDisposable
{
    private readonly TemporaryDirectory _root = new();

    public void Dispose() => _root.Dispose();

    [Theory]
    [InlineData("2\n", "[none] integrity confidentiality\n", null)]
    [InlineData("1\n", "none [integrity] confidentiality\n", null)]
    [InlineData("0\n", "[none] integrity confidentiality\n", "kernel.unprivileged_bpf_disabled is 0")]
    [InlineData("2\n", "none integrity [confidentiality]\n", "the kernel is locked down (confidentiality)")]
    public void S202_What_of_the_kernels_protection_concerns_BPF_is_told(string unprivileged, string lockdown, string? expected)
    {
        Directory.CreateDirectory(_root.Combine("kernel"));
        File.WriteAllText(_root.Combine("kernel/unprivileged_bpf_disabled"), unprivileged);
        File.WriteAllText(_root.Combine("lockdown"), lockdown);
        var findings = KernelHardening.Find(_root.Path, _root.Combine("lockdown"));
        if (expected is null)
            Assert.Empty(findings);
        else
            Assert.StartsWith(expected, Assert.Single(findings), StringComparison.Ordinal);
    }

    [Fact]
    public void S202_What_is_not_there_is_not_told() => Assert.Empty(KernelHardening.Find(_root.Path, _root.Combine("lockdown")));
}
