// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Net;
using System.Net.Sockets;

namespace EbpfLb.FakeApi;

public sealed record FakeApiOptions
{
    public IPEndPoint Listen { get; init; } = new(IPAddress.Loopback, 0);

    /// <summary>Makes a socket that is bound to the endpoint, for instance in another network namespace. Null: here.</summary>
    public Func<EndPoint, Socket>? Bind { get; init; }

    public bool Tls { get; init; }

    /// <summary>What the server's certificate is good for.</summary>
    public IReadOnlyList<string> Names { get; init; } = ["127.0.0.1", "::1", "localhost"];

    /// <summary>Without TLS: HTTP/2 from the first byte and nothing else. With TLS the client chooses.</summary>
    public bool PlainHttp2 { get; init; }

    /// <summary>So many changes of a resource are remembered at least, and twice as many at most.</summary>
    public int HistoryLimit { get; init; } = 20_000;

    /// <summary>For delays, for the time that a watch was asked for, and for certificates.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}
