// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Kubernetes.Objects;

namespace EbpfLb.Kubernetes.Api.Wire;

/// <summary>Of an object that could not be read as what it should be.</summary>
/// <param name="Metadata">Which one, as far as it says. Null when that could not be read either.</param>
/// <param name="Message">What is wrong; on one line and escaped.</param>
internal sealed record WireDefect(ObjectMeta? Metadata, string Message)
{
    public static WireDefect Of(ObjectMeta? metadata, string problem) => new(metadata, WireText.Escape(problem));
}
