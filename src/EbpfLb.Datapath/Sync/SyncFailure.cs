// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Maps;
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.Datapath.Sync;

/// <summary>Why a service is not in the maps as it should be.</summary>
/// <param name="Service">The service object.</param>
/// <param name="Map">The map that refused.</param>
/// <param name="Error">How.</param>
/// <param name="IsAbsent">True when none of it is programmed; false when its last good version still is.</param>
/// <param name="Message">For people: the cause and the way out.</param>
public sealed record SyncFailure(ObjectName Service, string Map, MapError Error, bool IsAbsent, string Message);
