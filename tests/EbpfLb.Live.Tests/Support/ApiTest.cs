// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Live.Tests.Support;

/// <summary>Tests of one class share node and server; after each of them all objects go, and nothing may be left in the maps.</summary>
public abstract class ApiTest(ApiNode node) : IAsyncLifetime
{
    internal ApiNode Node => node;

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        await node.ResetAsync();
        Assert.Empty(node.Agent.ReadSnapshot().Inconsistencies);
    }
}
