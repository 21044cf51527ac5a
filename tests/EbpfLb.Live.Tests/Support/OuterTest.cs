// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Live.Tests.Support;

/// <summary>Tests of one class share a playground; after each of them the maps have to agree with themselves.</summary>
public abstract class OuterTest(OuterNode node) : IAsyncLifetime
{
    internal OuterNode Node => node;

    public Task InitializeAsync() => Task.CompletedTask;

    public Task DisposeAsync()
    {
        Assert.Empty(node.Agent.ReadSnapshot().Inconsistencies);
        return Task.CompletedTask;
    }
}
