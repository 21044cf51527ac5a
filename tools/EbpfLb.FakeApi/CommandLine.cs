// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Globalization;
using System.Net;

namespace EbpfLb.FakeApi;

/// <summary>The options of the executable.</summary>
internal sealed record CommandLine
{
    public const string Help =
        """
        fakeapi: an API server for tests, benchmarks and demos.

          --listen ADDRESS:PORT   where; port 0 takes a free one (127.0.0.1:0)
          --tls DIR               TLS; writes ca.crt, client.crt and client.key (user admin) there
          --names A,B             what the server's certificate is good for beside the address
          --http2                 without TLS: HTTP/2 only
          --token TOKEN           asks for this token, which may do everything
          --kubeconfig FILE       writes one that leads here
          --objects DIR           the objects of its YAML and JSON files
          --services N            so many services of their own namespace
          --endpoints M           endpoints of each (10)
          --churn RATE            slices of them that change in a second
          --churn-log FILE        a line for each change that was sent

        One line of JSON says where it listens. It ends on SIGTERM.
        """;

    public IPEndPoint Listen { get; private init; } = new(IPAddress.Loopback, 0);

    public string? Tls { get; private init; }

    public IReadOnlyList<string> Names { get; private init; } = ["127.0.0.1", "::1", "localhost"];

    public bool PlainHttp2 { get; private init; }

    public string? Token { get; private init; }

    public string? Kubeconfig { get; private init; }

    public string? Objects { get; private init; }

    public int Services { get; private init; }

    public int Endpoints { get; private init; } = 10;

    public double Churn { get; private init; }

    public string? ChurnLog { get; private init; }

    /// <exception cref="FormatException">An option is none, or its value is wrong.</exception>
    public static CommandLine Parse(IReadOnlyList<string> arguments)
    {
        var line = new CommandLine();
        for (int index = 0; index < arguments.Count; index++)
        {
            string option = arguments[index];
            if (option == "--http2")
            {
                line = line with { PlainHttp2 = true };
                continue;
            }
            if (index + 1 == arguments.Count)
                throw new FormatException($"{option}: unknown, or its value is missing");
            line = line.With(option, arguments[++index]);
        }
        return line;
    }

    private CommandLine With(string option, string value) => option switch
    {
        "--listen" => this with { Listen = IPEndPoint.TryParse(value, out var endpoint) ? endpoint : throw Wrong(option, value) },
        "--tls" => this with { Tls = value },
        "--names" => this with { Names = [.. Names, .. value.Split(',')] },
        "--token" => this with { Token = value },
        "--kubeconfig" => this with { Kubeconfig = value },
        "--objects" => this with { Objects = value },
        "--services" => this with { Services = Number(option, value) },
        "--endpoints" => this with { Endpoints = Number(option, value) },
        "--churn" => this with { Churn = Number(option, value) },
        "--churn-log" => this with { ChurnLog = value },
        _ => throw new FormatException($"{option}: unknown"),
    };

    private static int Number(string option, string value) =>
        int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? number : throw Wrong(option, value);

    private static FormatException Wrong(string option, string value) => new($"{option}: '{value}' is no value for it");
}
