// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Kubernetes.Api.Wire;

/// <summary>Bytes that are no message of the API, or more than one may have: nothing of the rest of the stream can be trusted.</summary>
internal sealed class WireException : Exception
{
    public WireException(string message) : base(message)
    {
    }

    public WireException(string message, Exception inner) : base(message, inner)
    {
    }
}
