// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Kubernetes.Api.Client.Configuration;
using EbpfLb.Kubernetes.Translation;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace EbpfLb.Kubernetes.Api.Client;

public static class ApiTransportFactory
{
    /// <summary>For a caller that wants to fail before it starts anything. Nothing is connected, no plugin is run.</summary>
    /// <exception cref="ApiUnreachableException">The kubeconfig, the pod's account, or a file that they name cannot be used.</exception>
    public static void Verify(ApiOptions options)
    {
        using var transport = Create(options, NullLogger.Instance, TimeProvider.System);
    }

    /// <summary>Where the configuration comes from, on one line and without secrets. Reads no file.</summary>
    public static string Describe(ApiOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        string source = options.Kubeconfigs.Count == 0
            ? "the service account of the pod"
            : "kubeconfig " + PrintableText.Escape(string.Join(", ", options.Kubeconfigs))
                + (options.Context is null ? "" : $", context {PrintableText.Quote(options.Context)}");
        var server = options.Server is null ? null : ServerAddress.Parse(options.Server, out _);
        return server is null ? source : $"{source}, at {server.GetLeftPart(UriPartial.Path).TrimEnd('/')}";
    }

    /// <exception cref="ApiUnreachableException">The kubeconfig, the pod's account, or a file that they name cannot be used.</exception>
    internal static IApiTransport Create(ApiOptions options, ILogger logger, TimeProvider time, PodEnvironment? pod = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        return new ApiTransport(new ConfigurationLoader(options, pod ?? PodEnvironment.OfProcess(), logger), time, logger);
    }
}
