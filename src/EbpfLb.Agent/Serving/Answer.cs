// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Text;

namespace EbpfLb.Agent.Serving;

/// <summary>What a GET is answered with.</summary>
internal sealed record Answer(int Status, string ContentType, ReadOnlyMemory<byte> Body)
{
    public const string Json = "application/json";

    public const string PlainText = "text/plain; charset=utf-8";

    /// <summary>One more header. Null: none.</summary>
    public (string Name, string Value)? Header { get; init; }

    public static Answer NotFound { get; } = Text(404, "404 page not found\n");

    public static Answer MethodNotAllowed { get; } = Text(405, "405 method not allowed\n") with { Header = ("Allow", "GET, HEAD") };

    public static Answer Text(int status, string text) => new(status, PlainText, Encoding.UTF8.GetBytes(text));
}

/// <summary>What is answered at a port. Any thread may call it, several at once.</summary>
/// <returns>Null: there is no such path.</returns>
internal delegate Answer? Site(string path);
