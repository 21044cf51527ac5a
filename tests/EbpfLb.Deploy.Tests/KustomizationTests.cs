// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Deploy.Tests;

public sealed class KustomizationTests
{
    [Fact]
    public void The_base_has_every_file_of_its_folder_and_no_other()
    {
        var kustomization = Manifest.Read("base/kustomization.yaml");
        string[] listed =
            [.. kustomization.List("resources"), .. kustomization.Items("configMapGenerator").SelectMany(map => map.List("files"))];
        var present = Directory.EnumerateFiles(Path.Combine(Manifest.Folder, "base")).Select(Path.GetFileName)
            .Where(name => name != "kustomization.yaml");
        Assert.Equal(present.Order(StringComparer.Ordinal), listed.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Everything_is_in_the_namespace_that_the_binding_names()
    {
        string expected = Assert.Single(Manifest.Read("base/clusterrolebinding.yaml").Items("subjects")).Text("namespace");
        Assert.Equal(expected, Manifest.Read("base/kustomization.yaml").Text("namespace"));
    }

    [Fact]
    public void The_image_is_the_one_that_is_built_here()
    {
        var image = Assert.Single(Manifest.Read("base/kustomization.yaml").Items("images"));
        Assert.Equal(image.Text("name"), Manifest.Read("base/daemonset.yaml").Text("spec.template.spec.containers.0.image"));
        Assert.Contains(image.Text("name") + ":", File.ReadAllText(Path.Combine(Manifest.Folder, "image.sh")), StringComparison.Ordinal);
        string version = System.Reflection.Assembly.LoadFrom(Path.Combine(AppContext.BaseDirectory, "ebpflb.dll")).GetName().Version!.ToString(3);
        Assert.Equal(version, image.Text("newTag"));
    }

    [Theory]
    [InlineData("kubeadm")]
    [InlineData("labelled-nodes")]
    public void A_component_changes_the_daemon_set_where_there_is_something_to_change(string component)
    {
        var daemonSet = Manifest.Read("base/daemonset.yaml");
        var patches = Manifest.Read($"components/{component}/kustomization.yaml").Items("patches");
        Assert.All(patches, patch =>
        {
            Assert.Equal(
                (daemonSet.Text("kind"), daemonSet.Text("metadata.name")), (patch.Text("target.kind"), patch.Text("target.name")));
            string line = Assert.Single(patch.Text("patch").Split('\n'), text => text.Contains("path: ", StringComparison.Ordinal));
            string path = line[(line.IndexOf('/', StringComparison.Ordinal) + 1)..].Replace('/', '.');
            bool isNew = patch.Text("patch").Contains("op: add", StringComparison.Ordinal);
            Assert.True(daemonSet.Has(isNew ? path[..path.IndexOf(".ebpflb", StringComparison.Ordinal)] : path), path);
        });
    }
}
