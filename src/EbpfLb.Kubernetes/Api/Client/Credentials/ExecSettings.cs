// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Text;
using System.Text.Json;
using EbpfLb.Kubernetes.Api.Client.Configuration;
using EbpfLb.Kubernetes.Translation;

namespace EbpfLb.Kubernetes.Api.Client.Credentials;

/// <summary>A program that gives credentials. Its environment may hold secrets, so nothing prints this.</summary>
internal sealed class ExecSettings
{
    private const string Group = "client.authentication.k8s.io/";
    private const string ClusterExtension = "client.authentication.k8s.io/exec";

    /// <summary>For messages: the kubeconfig and the user.</summary>
    public required string Origin { get; init; }

    public required string ApiVersion { get; init; }

    /// <summary>A path, or a name to look for in PATH.</summary>
    public required string Command { get; init; }

    public required IReadOnlyList<string> Arguments { get; init; }

    /// <summary>On top of the agent's own.</summary>
    public required IReadOnlyList<KeyValuePair<string, string>> Variables { get; init; }

    public string? InstallHint { get; init; }

    /// <summary>What the program is told in KUBERNETES_EXEC_INFO.</summary>
    public required string Info { get; init; }

    /// <summary>Equal for settings that give the same credentials.</summary>
    public string Key => string.Join('\0', [Command, ApiVersion, Info, .. Arguments, .. Variables.SelectMany(v => (string[])[v.Key, v.Value])]);

    public static ExecSettings Read(KubeconfigEntry exec, KubeconfigEntry cluster, Uri server)
    {
        string apiVersion = exec.Text("apiVersion") ?? throw exec.Error("apiVersion", $"it is missing. Set {Group}v1");
        if (apiVersion is not (Group + "v1" or Group + "v1beta1"))
            throw exec.Error("apiVersion", $"it must be {Group}v1 or {Group}v1beta1. Let a newer version of the plugin write it");

        string command = exec.Text("command") ?? throw exec.Error("command", "it is missing. Name the plugin");
        switch (exec.Text("interactiveMode"))
        {
            case "Never" or "IfAvailable":
            case null when apiVersion == Group + "v1beta1":
                break;
            case null:
                throw exec.Error("interactiveMode", $"it is missing, and {Group}v1 needs it. Set it to Never or IfAvailable");
            case "Always":
                throw exec.Error("interactiveMode", "the agent has no terminal for it. Use credentials that need nobody to type");
            default:
                throw exec.Error("interactiveMode", "it must be Never, IfAvailable or Always");
        }

        bool tellCluster = exec.Flag("provideClusterInfo");
        return new ExecSettings
        {
            Origin = exec.Describe("command"),
            ApiVersion = apiVersion,
            // As in kubectl: with a directory it is relative to the file, without one it is looked for.
            Command = command.Contains('/', StringComparison.Ordinal)
                ? Path.GetFullPath(command, KubeconfigEntry.DirectoryOf(exec.File))
                : command,
            Arguments = exec.Texts("args"),
            Variables =
            [
                .. exec.Mappings("env").Select(entry => KeyValuePair.Create(
                    entry.Text("name") ?? throw entry.Error("name", "it is missing. Name the variable"), entry.Text("value") ?? "")),
            ],
            InstallHint = exec.Text("installHint") is { } hint ? PrintableText.Escape(hint.Trim()) : null,
            Info = InfoFor(apiVersion, tellCluster ? cluster : null, server),
        };
    }

    private static string InfoFor(string apiVersion, KubeconfigEntry? cluster, Uri server)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("kind", "ExecCredential");
            json.WriteString("apiVersion", apiVersion);
            json.WriteStartObject("spec");
            if (cluster is not null)
                WriteCluster(json, cluster, server);
            json.WriteBoolean("interactive", false);
            json.WriteEndObject();
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.ToArray());
    }

    private static void WriteCluster(Utf8JsonWriter json, KubeconfigEntry cluster, Uri server)
    {
        json.WriteStartObject("cluster");
        json.WriteString("server", server.GetLeftPart(UriPartial.Path).TrimEnd('/'));
        if (cluster.Text("tls-server-name") is { } name)
            json.WriteString("tls-server-name", name);
        if (cluster.Flag("insecure-skip-tls-verify"))
            json.WriteBoolean("insecure-skip-tls-verify", true);
        if (cluster.Content("certificate-authority") is { } authorities)
            json.WriteBase64String("certificate-authority-data", authorities.Bytes);
        if (cluster.Text("proxy-url") is { } proxy)
            json.WriteString("proxy-url", proxy);
        var config = cluster.Mappings("extensions").FirstOrDefault(extension => extension.Text("name") == ClusterExtension);
        if (config?.Fields.Find("extension") is { } value)
        {
            json.WritePropertyName("config");
            JsonText.Write(json, value);
        }

        json.WriteEndObject();
    }
}
