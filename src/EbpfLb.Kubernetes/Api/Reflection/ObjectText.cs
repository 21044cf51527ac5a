// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Kubernetes.Translation;
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.Kubernetes.Api.Reflection;

/// <summary>What messages call objects, whatever their names hold.</summary>
internal static class ObjectText
{
    private const int NameLimit = 320;

    private const int MaxProblems = 3;

    /// <summary><c>Service default/web</c>; of objects without a namespace <c>Node node-1</c>.</summary>
    public static string Subject(ResourceKind kind, ObjectName name)
    {
        string text = name.Namespace.Length == 0 ? name.Name : name.ToString();
        return $"{KindName(kind)} {PrintableText.Escape(text.Length <= NameLimit ? text : text[..NameLimit] + "...")}";
    }

    public static string KindName(ResourceKind kind) => kind switch
    {
        ResourceKind.Service => "Service",
        ResourceKind.EndpointSlice => "EndpointSlice",
        ResourceKind.Node => "Node",
        _ => "ServiceCIDR",
    };

    /// <param name="defect">Of the encoding; escaped.</param>
    /// <returns>The first of them on one line; null when there is none.</returns>
    public static string? Join(string? defect, ProblemList problems)
    {
        if (defect is null && problems.Kept.Count == 0)
            return null;

        string[] all = [.. defect is null ? (IEnumerable<string>)[] : [defect], .. problems.Kept.Select(problem => problem.ToString())];
        int more = (defect is null ? 0 : 1) + problems.InvalidCount + problems.IgnoredCount - MaxProblems;
        string text = string.Join("; ", all.Take(MaxProblems));
        return more <= 0 ? text : $"{text}; and {more} more";
    }
}
