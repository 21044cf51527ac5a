// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Reflection;
using YamlDotNet.RepresentationModel;

namespace EbpfLb.Deploy.Tests;

/// <summary>One document of tools/deploy, by paths such as "spec.template.spec.containers.0.args".</summary>
internal sealed class Manifest
{
    private readonly YamlNode _root;

    private Manifest(YamlNode root) => _root = root;

    public static string RepositoryRoot { get; } = typeof(Manifest).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
        .Single(attribute => attribute.Key == "RepositoryRoot").Value!;

    public static string Folder { get; } = Path.Combine(RepositoryRoot, "tools/deploy");

    public static Manifest Read(string file)
    {
        var stream = new YamlStream();
        using var reader = new StreamReader(Path.Combine(Folder, file));
        stream.Load(reader);
        return new Manifest(Assert.Single(stream.Documents).RootNode);
    }

    public string Text(string path) => ((YamlScalarNode)Find(path)!).Value!;

    public string[] List(string path) => Find(path) is YamlSequenceNode items ? [.. items.Select(item => ((YamlScalarNode)item).Value!)] : [];

    public Manifest[] Items(string path) => Find(path) is YamlSequenceNode items ? [.. items.Select(item => new Manifest(item))] : [];

    public string[] Keys(string path) =>
        Find(path) is YamlMappingNode map ? [.. map.Children.Keys.Select(key => ((YamlScalarNode)key).Value!)] : [];

    public bool Has(string path) => Find(path) is not null;

    private YamlNode? Find(string path)
    {
        var node = _root;
        foreach (string part in path.Split('.', StringSplitOptions.RemoveEmptyEntries))
        {
            node = node switch
            {
                YamlMappingNode map => map.Children.TryGetValue(new YamlScalarNode(part), out var value) ? value : null,
                YamlSequenceNode items => items[int.Parse(part, System.Globalization.CultureInfo.InvariantCulture)],
                _ => null,
            };
            if (node is null)
                return null;
        }

        return node;
    }
}
