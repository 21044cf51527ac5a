// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Kubernetes.Api;

/// <param name="Subject">An object such as <c>Service default/web</c>, or a resource such as <c>services</c>.</param>
/// <param name="Message">The cause with the way out, on one line.</param>
public sealed record ApiProblem(string Subject, string Message);
