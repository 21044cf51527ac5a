// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.TestSupport;

internal static class Eventually
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);

    public static async Task True(Func<bool> condition, string what)
    {
        using CancellationTokenSource deadline = new(Deadline);
        while (!condition())
        {
            Assert.False(deadline.IsCancellationRequested, $"not within {Deadline}: {what}");
            await Task.Delay(10);
        }
    }

    public static CancellationToken Timeout() => new CancellationTokenSource(Deadline).Token;
}
