// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.TestSupport;

/// <summary>
/// A test that takes root and a kernel with BPF. Without root it is skipped, unless the variable CI is set: there it runs, and fails.
/// </summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class PrivilegedFactAttribute : FactAttribute
{
    public PrivilegedFactAttribute()
    {
        if (!Environment.IsPrivilegedProcess && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("CI")))
            Skip = "takes root";
    }
}
