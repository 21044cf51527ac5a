// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Formats.Tar;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text.Json;

namespace EbpfLb.Deploy.Tests;

/// <summary>What image.sh writes, judged by the OCI image specification. The agent of this build stands in for the published one.</summary>
public sealed class ImageTests(ImageTests.Image image) : IClassFixture<ImageTests.Image>
{
    private const long Epoch = 1_700_000_000;
    private const string ManifestType = "application/vnd.oci.image.manifest.v1+json";
    private const UnixFileMode Special = UnixFileMode.SetUser | UnixFileMode.SetGroup;

    [Fact]
    public void It_is_an_OCI_layout_with_one_image()
    {
        Assert.Equal("1.0.0", Json(image.Files["oci-layout"]).GetProperty("imageLayoutVersion").GetString());
        var index = Json(image.Files["index.json"]);
        Assert.Equal(2, index.GetProperty("schemaVersion").GetInt32());
        Assert.Equal("application/vnd.oci.image.index.v1+json", index.GetProperty("mediaType").GetString());
        var descriptor = Assert.Single(index.GetProperty("manifests").EnumerateArray());
        Assert.Equal(ManifestType, descriptor.GetProperty("mediaType").GetString());
        Assert.Equal("1.2.3", descriptor.GetProperty("annotations").GetProperty("org.opencontainers.image.ref.name").GetString());
        Assert.Equal(
            "localhost/ebpflb:1.2.3", descriptor.GetProperty("annotations").GetProperty("io.containerd.image.name").GetString());
    }

    [Fact]
    public void Every_blob_has_the_digest_and_the_size_that_are_claimed_and_none_is_left_over()
    {
        var manifest = Manifest();
        Assert.Equal((2, ManifestType), (manifest.GetProperty("schemaVersion").GetInt32(), manifest.GetProperty("mediaType").GetString()));
        JsonElement[] claimed =
            [Index(), manifest.GetProperty("config"), .. manifest.GetProperty("layers").EnumerateArray()];
        foreach (var descriptor in claimed)
        {
            byte[] blob = Blob(descriptor);
            Assert.Equal(descriptor.GetProperty("digest").GetString(), DigestOf(blob));
            Assert.Equal(descriptor.GetProperty("size").GetInt64(), blob.Length);
        }

        Assert.Equal(claimed.Length, image.Files.Keys.Count(name => name.StartsWith("blobs/", StringComparison.Ordinal)));
    }

    [Fact]
    public void The_configuration_runs_the_agent_and_names_the_layers_as_they_are_unpacked()
    {
        var described = Json(Blob(Manifest().GetProperty("config")));
        Assert.Equal("linux", described.GetProperty("os").GetString());
        Assert.Contains(described.GetProperty("architecture").GetString(), (string[])["amd64", "arm64"]);
        Assert.Equal(DateTimeOffset.FromUnixTimeSeconds(Epoch), described.GetProperty("created").GetDateTimeOffset());
        var config = described.GetProperty("config");
        Assert.Equal(["/usr/bin/ebpflb"], Strings(config.GetProperty("Entrypoint")));
        Assert.Equal(["agent"], Strings(config.GetProperty("Cmd")));
        Assert.Contains("DOTNET_EnableDiagnostics=0", Strings(config.GetProperty("Env")));

        Assert.Equal("layers", described.GetProperty("rootfs").GetProperty("type").GetString());
        Assert.Equal(Layers().Select(DigestOf), Strings(described.GetProperty("rootfs").GetProperty("diff_ids")));
        Assert.Equal(2, described.GetProperty("history").GetArrayLength());
    }

    [Fact]
    public void The_layers_hold_what_runs_and_no_shell()
    {
        var entries = Layers().SelectMany(layer => Read(new MemoryStream(layer))).ToArray();
        Assert.All(entries, entry =>
        {
            Assert.Equal((0, 0, Epoch), (entry.Uid, entry.Gid, entry.Modified));
            Assert.Equal((UnixFileMode)0, entry.Mode & (Special | UnixFileMode.GroupWrite | UnixFileMode.OtherWrite));
            Assert.DoesNotContain("..", entry.Name.Split('/'));
        });

        var files = entries.Where(entry => entry.Content is not null).Select(entry => entry.Name).ToArray();
        Assert.Equal(files.Length, files.Distinct().Count());
        Assert.Contains("./usr/bin/ebpflb", files);
        Assert.Contains("./usr/sbin/bpftool", files);
        foreach (string library in (string[])["libc.so.6", "libssl.so.3", "libcrypto.so.3", "libstdc++.so.6", "libelf.so.1"])
            Assert.Contains(files, file => Path.GetFileName(file) == library);
        Assert.Contains(files, file => Path.GetFileName(file).StartsWith("ld-linux", StringComparison.Ordinal));
        Assert.DoesNotContain(files, file => file.EndsWith("sh", StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_same_files_make_the_same_bytes()
    {
        string again = Path.Combine(image.Directory, "again.tar");
        await BuildAsync(again);
        Assert.Equal(DigestOf(await File.ReadAllBytesAsync(image.Archive)), DigestOf(await File.ReadAllBytesAsync(again)));
    }

    [Fact]
    public async Task What_cannot_be_built_says_why()
    {
        var result = await Shell.RunAsync(Script, ["--agent", "/none", "--output", Path.Combine(image.Directory, "x.tar")]);
        Assert.Equal(2, result.ExitCode);
        Assert.Contains("run 'make publish', or name one with --agent", result.Output, StringComparison.Ordinal);
        result = await Shell.RunAsync(Script, ["--version"]);
        Assert.Equal((2, "image.sh: --version needs a value\n"), result);
    }

    private static string Script => Path.Combine(Deploy.Tests.Manifest.Folder, "image.sh");

    private static async Task BuildAsync(string output)
    {
        string agent = Path.Combine(AppContext.BaseDirectory, "ebpflb");
        var result = await Shell.RunAsync(
            Script, ["--agent", agent, "--version", "1.2.3", "--output", output], ("SOURCE_DATE_EPOCH", $"{Epoch}"));
        Assert.True(result.ExitCode == 0, result.Output);
    }

    private JsonElement Index() => Assert.Single(Json(image.Files["index.json"]).GetProperty("manifests").EnumerateArray());

    private JsonElement Manifest() => Json(Blob(Index()));

    private byte[] Blob(JsonElement descriptor) =>
        image.Files["blobs/" + descriptor.GetProperty("digest").GetString()!.Replace(':', '/')];

    private byte[][] Layers() => [.. Manifest().GetProperty("layers").EnumerateArray().Select(layer =>
    {
        Assert.Equal("application/vnd.oci.image.layer.v1.tar+gzip", layer.GetProperty("mediaType").GetString());
        using var unpacked = new MemoryStream();
        using var gzip = new GZipStream(new MemoryStream(Blob(layer)), CompressionMode.Decompress);
        gzip.CopyTo(unpacked);
        return unpacked.ToArray();
    })];

    private static List<Entry> Read(Stream archive)
    {
        var entries = new List<Entry>();
        using var reader = new TarReader(archive);
        while (reader.GetNextEntry() is { } entry)
        {
            byte[]? content = null;
            if (entry.EntryType is TarEntryType.RegularFile)
            {
                using var copy = new MemoryStream();
                entry.DataStream?.CopyTo(copy);
                content = copy.ToArray();
            }

            entries.Add(new(entry.Name, entry.Uid, entry.Gid, entry.ModificationTime.ToUnixTimeSeconds(), entry.Mode, content));
        }

        return entries;
    }

    private static JsonElement Json(byte[] text) => JsonElement.Parse(text);

    private static string DigestOf(byte[] content) => "sha256:" + Convert.ToHexStringLower(SHA256.HashData(content));

    private static string[] Strings(JsonElement array) => [.. array.EnumerateArray().Select(item => item.GetString()!)];

    /// <summary>Built once for all tests; they only read it.</summary>
    public sealed class Image : IAsyncLifetime, IDisposable
    {
        private readonly TemporaryDirectory _directory = new();

        public string Directory => _directory.Path;

        public string Archive => _directory.Combine("image.tar");

        /// <summary>What is in the archive, by name.</summary>
        public Dictionary<string, byte[]> Files { get; } = [];

        public async Task InitializeAsync()
        {
            await BuildAsync(Archive);
            foreach (var entry in Read(File.OpenRead(Archive)).Where(entry => entry.Content is not null))
                Files.Add(entry.Name, entry.Content!);
        }

        public Task DisposeAsync() => Task.CompletedTask;

        public void Dispose() => _directory.Dispose();
    }

    private sealed record Entry(string Name, int Uid, int Gid, long Modified, UnixFileMode Mode, byte[]? Content);
}
