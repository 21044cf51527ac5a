// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.LoadBalancing.Desired;
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.LoadBalancing.Selection;

/// <param name="Backends">The Cluster list, the Local list, and those in neither that keep the flows they have; ordered by address, then port.</param>
/// <param name="HasEndpoints">True if a usable endpoint exists anywhere, even when both lists are empty.</param>
internal readonly record struct EndpointSelection(EquatableArray<Backend> Backends, bool HasEndpoints);
