// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.LoadBalancing.Desired;

/// <summary>
/// The service of the API server would have become empty, and keeps the backends it had last. Ends when it has endpoints again.
/// </summary>
/// <param name="Key">Always of <see cref="ApiServiceGuard.ServiceName"/>.</param>
/// <param name="Backends">Where its clients are still sent; ordered.</param>
/// <param name="ServiceIsGone">The Service object itself is gone: its frontends are kept as well.</param>
public sealed record KeptBackends(ServicePortKey Key, EquatableArray<Backend> Backends, bool ServiceIsGone);
