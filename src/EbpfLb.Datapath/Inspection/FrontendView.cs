// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Contract;
using EbpfLb.LoadBalancing.Desired;

namespace EbpfLb.Datapath.Inspection;

/// <param name="ServiceName">Empty when the maps do not know it.</param>
public sealed record FrontendView(FrontendAddress Address, uint ServiceId, string ServiceName, FrontendFlags Flags);
