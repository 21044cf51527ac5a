// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Live.Tests.Support;

/// <summary>A pod in the slices of a service. Null conditions are left out of the manifest.</summary>
internal sealed record Endpoint(Client Pod, bool? Ready = null, bool? Serving = null, bool? Terminating = null);
