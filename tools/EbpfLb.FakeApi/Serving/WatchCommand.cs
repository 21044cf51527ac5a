// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.FakeApi.Faults;
using EbpfLb.FakeApi.Store;

namespace EbpfLb.FakeApi.Serving;

/// <summary>What an open watch is told to do beside its work.</summary>
internal abstract record WatchCommand
{
    public sealed record Send(EventType Type, StoredObject Object) : WatchCommand;

    public sealed record SendRaw(byte[] Bytes) : WatchCommand;

    public sealed record SendBookmark : WatchCommand;

    public sealed record Finish(WatchEnding Ending, ApiStatus? Status) : WatchCommand;
}
