// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Cli.Tests.Support;

/// <summary>One node with <see cref="Shop"/> on it for all tests of a class, made for the first that runs; its agent has gone.</summary>
public sealed class ShopNode : IDisposable
{
    private readonly Lazy<TestNode> _node = new(() =>
    {
        var node = new TestNode();
        Assert.True(node.Program(Shop.Services).IsClean);
        node.WriteAgent();
        node.Stop();
        return node;
    });

    internal TestNode Node => _node.Value;

    internal Shell.Result Run(params string[] args) => Shell.Run([.. args, "--bpffs", Node.BpfFs]);

    public void Dispose()
    {
        if (_node.IsValueCreated)
            _node.Value.Dispose();
    }
}
