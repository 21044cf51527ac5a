// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Kubernetes.Manifests.Tree;
using EbpfLb.Kubernetes.Translation;
using Microsoft.Extensions.Logging;

namespace EbpfLb.Kubernetes.Api.Client.Configuration;

/// <summary>
/// Reads everything anew each time: kubeconfigs, and the files that they or the pod name. It is a handful of small files, and so a
/// change of any of them is seen in one way.
/// </summary>
internal sealed class ConfigurationLoader(ApiOptions options, PodEnvironment pod, ILogger logger)
{
    private static readonly string[] SecretFields = ["token", "password", "client-key-data", "exec", "auth-provider"];

    private readonly HashSet<string> _warned = new(StringComparer.Ordinal);

    /// <exception cref="ApiUnreachableException">Something cannot be used.</exception>
    public ApiConfiguration Load()
    {
        var server = options.Server is null ? null : ServerAddress.Parse(options.Server, out string problem)
            ?? throw new ApiUnreachableException($"The server that takes the place of the configured one: {problem}.");
        var configuration = options.Kubeconfigs.Count == 0 ? pod.Resolve(server) : FromKubeconfigs(server);
        var endpoint = configuration.Endpoint;
        if (!endpoint.IsSecure && _warned.Add("http"))
            logger.NotEncrypted(endpoint.Name);
        if (endpoint.IsSecure && endpoint.Insecure && _warned.Add("insecure"))
            logger.NotVerified(endpoint.Name);
        return configuration;
    }

    private ApiConfiguration FromKubeconfigs(Uri? server)
    {
        var config = Kubeconfig.Read(options.Kubeconfigs);
        foreach (string file in config.Files)
        {
            if (IsReadableByAll(file) && HoldsSecret(config, file) && _warned.Add(file))
                logger.ReadableByAll(PrintableText.Escape(file));
        }

        return KubeconfigResolver.Resolve(config, options.Context, server);
    }

    private static bool HoldsSecret(Kubeconfig config, string file) => config.Users.Values.Any(user =>
        user.File == file && SecretFields.Any(field => user.Fields.Find(field) is { IsNull: false } and not ManifestScalar { Text.Length: 0 }));

    private static bool IsReadableByAll(string file)
    {
        try
        {
            return File.GetUnixFileMode(file).HasFlag(UnixFileMode.OtherRead);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // It went since it was read.
            return false;
        }
    }
}
