// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.TestSupport;

/// <summary><see cref="PrivilegedFactAttribute"/>, for a test of many cases.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class PrivilegedTheoryAttribute : TheoryAttribute
{
    public PrivilegedTheoryAttribute()
    {
        Skip = new PrivilegedFactAttribute().Skip;
    }
}
