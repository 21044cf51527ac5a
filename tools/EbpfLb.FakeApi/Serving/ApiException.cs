// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.FakeApi.Serving;

/// <summary>Ends a request with a status.</summary>
internal sealed class ApiException(ApiStatus status) : Exception(status.Message)
{
    public ApiStatus Status => status;
}
