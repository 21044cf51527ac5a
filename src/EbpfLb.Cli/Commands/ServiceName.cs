// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Cli.Commands;

/// <summary>namespace/name:port-name, as the maps have it, in parts. A part that is not there is empty.</summary>
internal readonly record struct ServiceName(string Namespace, string Name, string Port)
{
    /// <summary>namespace/name.</summary>
    public string Object => Namespace.Length == 0 ? Name : $"{Namespace}/{Name}";

    public static ServiceName Parse(string text)
    {
        int slash = text.IndexOf('/', StringComparison.Ordinal);
        string rest = text[(slash + 1)..];
        int colon = rest.IndexOf(':', StringComparison.Ordinal);
        return new ServiceName(
            slash < 0 ? "" : text[..slash], colon < 0 ? rest : rest[..colon], colon < 0 ? "" : rest[(colon + 1)..]);
    }

    /// <summary>Whether an operator who typed <paramref name="text"/> means this one: name, namespace/name, either with :port.</summary>
    public bool Matches(string text)
    {
        var wanted = Parse(text);
        return Name == wanted.Name
            && (!text.Contains('/', StringComparison.Ordinal) || Namespace == wanted.Namespace)
            && (wanted.Port.Length == 0 || Port == wanted.Port);
    }
}
