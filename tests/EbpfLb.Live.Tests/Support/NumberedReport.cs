// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Live.Tests.Support;

/// <param name="Twice">That came again.</param>
/// <param name="Overflows">For which the counting socket had no room; they are among those that did not come.</param>
internal sealed record NumberedReport(long Sent, long Received, long Twice, long Overflows)
{
    public long Lost => Sent - Received;
}
