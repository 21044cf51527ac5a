// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Text.Json.Nodes;

namespace EbpfLb.FakeApi.Serving;

/// <summary>RFC 7386: null removes, objects merge, all else replaces.</summary>
internal static class MergePatch
{
    public static void Apply(JsonObject target, JsonObject patch)
    {
        foreach (var (name, value) in patch)
        {
            if (value is null)
            {
                target.Remove(name);
                continue;
            }
            if (value is not JsonObject inner)
            {
                target[name] = value.DeepClone();
                continue;
            }
            if (target[name] is not JsonObject present)
                target[name] = present = [];
            Apply(present, inner);
        }
    }
}
