// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Kubernetes.Translation;

public enum Severity : byte
{
    /// <summary>A value that is wrong. A source serves the object without the item that holds it, or not at all.</summary>
    Invalid,

    /// <summary>Right, but nothing the agent serves, or not known to it and taken as the default.</summary>
    Ignored,
}

/// <param name="Severity">Whether a source may refuse the object for it.</param>
/// <param name="FieldPath">As kubectl writes it: <c>spec.ports[0].port</c>. Empty for the object as a whole.</param>
/// <param name="Message">What is wrong with the value and what is expected; one clause, no field path in it.</param>
public sealed record Problem(Severity Severity, string FieldPath, string Message)
{
    public override string ToString() => FieldPath.Length == 0 ? Message : $"{FieldPath}: {Message}";
}
