// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Text.Json;

namespace EbpfLb.Datapath.Loading;

/// <summary>
/// Compares the mirrors with the BTF of a built object, as <c>bpftool -j btf dump file OBJECT</c> prints it. The compiler that made the
/// programs is the only authority on their memory.
/// </summary>
public static class LayoutCheck
{
    /// <summary>Whether every mirror has to occur: yes for the object that holds all types, no for one that holds what it uses.</summary>
    public enum Scope
    {
        AllTypes,
        TypesPresent,
    }

    /// <summary>What does not fit, one sentence each; empty when everything does.</summary>
    public static IReadOnlyList<string> Compare(JsonDocument btf, Scope scope)
    {
        ArgumentNullException.ThrowIfNull(btf);
        var types = btf.RootElement.GetProperty("types").EnumerateArray()
            .ToDictionary(type => type.GetProperty("id").GetInt32());
        var findings = new List<string>();
        CompareStructs(types, scope, findings);
        CompareEnums(types, scope, findings);
        return findings;
    }

    private static void CompareStructs(Dictionary<int, JsonElement> types, Scope scope, List<string> findings)
    {
        var structs = types.Values.Where(type => Kind(type) == "STRUCT" && Name(type).StartsWith("lb_", StringComparison.Ordinal))
            .ToDictionary(Name);
        foreach (string name in structs.Keys.Where(name => Mirror.All.All(mirror => mirror.CName != name)).Order(StringComparer.Ordinal))
            findings.Add($"struct {name} has no mirror");

        foreach (var mirror in Mirror.All)
        {
            if (structs.TryGetValue(mirror.CName, out var type))
                Compare(mirror, type, types, findings);
            else if (scope == Scope.AllTypes)
                findings.Add($"struct {mirror.CName} has a mirror but does not occur in the object");
        }
    }

    private static void Compare(Mirror mirror, JsonElement type, Dictionary<int, JsonElement> types, List<string> findings)
    {
        int size = type.GetProperty("size").GetInt32();
        if (size != mirror.Size)
            findings.Add($"struct {mirror.CName} has {size} bytes, its mirror {mirror.Size}");

        int covered = 0;
        foreach (var member in type.GetProperty("members").EnumerateArray())
        {
            int offset = member.GetProperty("bits_offset").GetInt32() / 8;
            int length = SizeOf(member.GetProperty("type_id").GetInt32(), types);
            if (offset != covered)
                findings.Add($"struct {mirror.CName} has a hole before {Name(member)}");
            covered = offset + length;
            CompareMember(mirror, Name(member), offset, length, findings);
        }

        if (covered != size)
            findings.Add($"struct {mirror.CName} has a hole at its end");
        foreach (var field in mirror.Fields.Where(field => field.Offset + field.Size > size))
            findings.Add($"field {field.Name} of the mirror of {mirror.CName} lies beyond the struct");
    }

    // One field for a member, or several that fill it without a gap, such as the bytes of a pad.
    private static void CompareMember(Mirror mirror, string member, int offset, int length, List<string> findings)
    {
        var fields = mirror.Fields.Where(field => field.Offset < offset + length && field.Offset + field.Size > offset).ToArray();
        int end = offset;
        foreach (var field in fields)
        {
            if (field.Offset != end || !SameName(member, field.Name))
            {
                findings.Add($"{mirror.CName}.{member} is at {offset}, {length} bytes; its mirror has {field.Name} at {field.Offset}, "
                    + $"{field.Size} bytes");
                return;
            }

            end = field.Offset + field.Size;
        }

        if (end != offset + length)
            findings.Add($"{mirror.CName}.{member} is at {offset}, {length} bytes; its mirror covers {end - offset} of them");
    }

    // affinity_timeout_s and AffinityTimeoutSeconds, pad and Pad0: the mirror may say more, not something else.
    private static bool SameName(string member, string field) =>
        field.StartsWith(member.Replace("_", "", StringComparison.Ordinal), StringComparison.OrdinalIgnoreCase);

    private static void CompareEnums(Dictionary<int, JsonElement> types, Scope scope, List<string> findings)
    {
        var enums = types.Values.Where(type => Kind(type) == "ENUM" && Name(type).StartsWith("lb_", StringComparison.Ordinal))
            .ToDictionary(Name);
        foreach (string name in enums.Keys.Where(name => Mirror.Enums.All(mirror => mirror.CName != name)).Order(StringComparer.Ordinal))
            findings.Add($"enum {name} has no mirror");

        foreach (var mirror in Mirror.Enums)
        {
            if (!enums.TryGetValue(mirror.CName, out var type))
            {
                if (scope == Scope.AllTypes)
                    findings.Add($"enum {mirror.CName} has a mirror but does not occur in the object");
                continue;
            }

            var constants = type.GetProperty("values").EnumerateArray()
                .Select(value => (Name: Name(value), Value: value.GetProperty("val").GetInt64())).ToArray();
            foreach (var (name, value) in constants)
            {
                string plain = name.Replace(mirror.Prefix, "", StringComparison.Ordinal).Replace("_", "", StringComparison.Ordinal);
                if (!mirror.Values.Any(pair => pair.Value == value && pair.Key.Equals(plain, StringComparison.OrdinalIgnoreCase)))
                    findings.Add($"{name} is {value}; its mirror has no such constant");
            }

            int mirrored = mirror.Values.Count(pair => pair.Key != "None");
            if (mirrored != constants.Length)
                findings.Add($"enum {mirror.CName} has {constants.Length} constants, its mirror {mirrored}");
        }
    }

    private static int SizeOf(int typeId, Dictionary<int, JsonElement> types)
    {
        var type = types[typeId];
        if (Kind(type) == "ARRAY")
            return type.GetProperty("nr_elems").GetInt32() * SizeOf(type.GetProperty("type_id").GetInt32(), types);

        return type.TryGetProperty("size", out var size)
            ? size.GetInt32()
            : SizeOf(type.GetProperty("type_id").GetInt32(), types);
    }

    private static string Kind(JsonElement element) => element.GetProperty("kind").GetString()!;

    private static string Name(JsonElement element) => element.GetProperty("name").GetString()!;
}
