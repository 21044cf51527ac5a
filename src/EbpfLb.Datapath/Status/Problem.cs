// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Datapath.Status;

/// <summary>Something an operator should know: what it is about, and the cause with the way out.</summary>
public sealed record Problem(string Subject, string Message);
