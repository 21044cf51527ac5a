// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Kubernetes.Api.Wire;
using EbpfLb.Kubernetes.Translation;

namespace EbpfLb.Kubernetes.Api.Reflection;

/// <summary>The server answers, and does not do what it was asked. The message is fit for a log.</summary>
internal sealed class ApiRefusedException(ApiStatus status, TimeSpan? retryAfter, bool inStream) : Exception(Describe(status))
{
    private const int MessageLimit = 300;

    public ApiStatus Status => status;

    public TimeSpan? RetryAfter => retryAfter ?? (status.RetryAfterSeconds is > 0 and { } seconds ? TimeSpan.FromSeconds(seconds) : null);

    /// <summary>Told within a response that began with status 200.</summary>
    public bool InStream => inStream;

    private static string Describe(ApiStatus status)
    {
        string text = status.Message.Length <= MessageLimit ? status.Message : status.Message[..MessageLimit] + "...";
        string reason = status.Reason.Length == 0 ? "" : " " + PrintableText.Escape(status.Reason);
        return text.Length == 0 ? $"the server answers {status.Code}{reason}"
            : $"the server answers {status.Code}{reason}: {PrintableText.Escape(text)}";
    }
}
