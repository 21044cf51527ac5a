// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using EbpfLb.Kubernetes.Translation;

namespace EbpfLb.Kubernetes.Api.Client.Connection;

/// <summary>Why there was no answer, in words that lead somewhere.</summary>
internal static class ConnectionErrors
{
    public static ApiUnreachableException Explain(Exception error, EndpointSettings endpoint, ApiConnection connection, DateTimeOffset now)
    {
        string cause = CauseOf(error, endpoint, connection);
        if (connection.Certificate is { } own && own.NotAfter < now.LocalDateTime && InChain<CertificateRefusedException>(error) is null)
            cause += $". Our client certificate expired at {own.NotAfter.ToUniversalTime():u}: renew it";
        return new ApiUnreachableException($"The API server {endpoint.Name} cannot be used: {cause}.", error);
    }

    public static ApiUnreachableException NoAnswer(EndpointSettings endpoint, TimeSpan after) =>
        new($"The API server {endpoint.Name} cannot be used: it took the request and did not begin to "
            + $"answer within {after.TotalSeconds:0} s. It, or what forwards to it, may be overloaded.");

    private static string CauseOf(Exception error, EndpointSettings endpoint, ApiConnection connection)
    {
        var http = InChain<HttpRequestException>(error);
        var target = endpoint.Proxy is { } proxy ? proxy : endpoint.Server;
        string whose = endpoint.Proxy is null ? "" : "its proxy does not work: ";
        if (InChain<CertificateRefusedException>(error) is { } refused)
            return refused.Message;

        if (http?.HttpRequestError == HttpRequestError.ProxyTunnelError)
            return $"the proxy {target.Authority} does not connect to it. See that it may, or remove proxy-url";

        if (InChain<SocketException>(error) is { } socket && http?.HttpRequestError
            is HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError)
            return whose + SocketCause(socket, target);

        if (InChain<TimeoutException>(error) is not null)
        {
            return $"{whose}no connection to {target.Authority} within {connection.Times.Connect.TotalSeconds} s. "
                + "See that the address is right, and that no firewall drops the packets";
        }

        // In TLS 1.3 a server refuses a client when that has begun to read.
        if (((Exception?)InChain<AuthenticationException>(error) ?? InChain<CryptographicException>(error)) is not null)
        {
            return $"the TLS handshake with {target.Authority} failed ({Innermost(error)}). See that TLS is spoken there, and whether it "
                + "asks for a client certificate";
        }

        string reason = Innermost(error);
        return ErrorOf(error) switch
        {
            HttpRequestError.ResponseEnded => $"{target.Authority} closed the connection instead of answering ({reason}). "
                + (endpoint.IsSecure ? "See whether it asks for a client certificate" : "It may speak TLS: try https"),
            HttpRequestError.InvalidResponse => $"what {target.Authority} answers is not HTTP ({reason}). See that it is an API server",
            // A refusal in TLS 1.3 may come as a reset, before its alert is read.
            _ when endpoint.IsSecure && connection.Certificate is null => $"the connection to {target.Authority} broke ({reason}). See "
                + "whether the server's log says why, and whether it asks for a client certificate",
            _ => $"the connection to {target.Authority} broke ({reason}). See whether the server's log says why",
        };
    }

    /// <summary>Of the innermost exception that has one: around the end of a connection there are others, more general.</summary>
    private static HttpRequestError? ErrorOf(Exception? error)
    {
        HttpRequestError? found = null;
        for (; error is not null; error = error.InnerException)
        {
            if (error is HttpRequestException { HttpRequestError: not HttpRequestError.Unknown } http)
                found = http.HttpRequestError;
            else if (error is HttpIOException io)
                found = io.HttpRequestError;
        }

        return found;
    }

    private static string SocketCause(SocketException error, Uri target) => error.SocketErrorCode switch
    {
        SocketError.ConnectionRefused =>
            $"nothing accepts connections at {target.Authority} (connection refused). See that it runs, and that address "
                + "and port are right",
        SocketError.HostNotFound or SocketError.NoData =>
            $"DNS has no address of {PrintableText.Quote(target.Host)}. See that the name is right",
        SocketError.TryAgain =>
            $"DNS does not answer for {PrintableText.Quote(target.Host)}. See that the name servers of this machine work",
        SocketError.HostUnreachable or SocketError.NetworkUnreachable =>
            $"there is no way to {target.Authority} ({error.Message}). See the routes of this machine",
        SocketError.TimedOut => $"no connection to {target.Authority} (timed out). See that no firewall drops the packets",
        _ => $"{target.Authority} cannot be connected to ({error.Message})",
    };

    private static T? InChain<T>(Exception? error)
        where T : Exception
    {
        for (; error is not null; error = error.InnerException)
        {
            if (error is T found)
                return found;
        }

        return null;
    }

    private static string Innermost(Exception error)
    {
        while (error.InnerException is { } inner)
            error = inner;
        return PrintableText.Escape(error.Message.TrimEnd('.'));
    }
}
