// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Kubernetes.Api.Wire;

/// <summary>What a server says when it does not do what it was asked.</summary>
/// <param name="Code">As HTTP has it, also where it comes within a stream of status 200.</param>
/// <param name="Reason">A word such as Expired; empty when there is none.</param>
/// <param name="Message">For people. From outside: escape it before it is shown.</param>
internal sealed record ApiStatus(int Code, string Reason, string Message, int? RetryAfterSeconds = null);
