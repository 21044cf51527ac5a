// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Kubernetes.Api.Client;

/// <summary>Names the server, the setting or the file, the likely cause and the way out. Holds no secret.</summary>
public sealed class ApiUnreachableException : Exception
{
    public ApiUnreachableException(string message) : base(message)
    {
    }

    public ApiUnreachableException(string message, Exception inner) : base(message, inner)
    {
    }
}
