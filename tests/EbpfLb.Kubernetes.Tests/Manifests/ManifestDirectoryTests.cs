// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Kubernetes.Manifests;
using EbpfLb.Kubernetes.Tests.Support;
using EbpfLb.Kubernetes.Translation;
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.Kubernetes.Tests.Manifests;

public sealed class ManifestDirectoryTests : IAsyncLifetime, IAsyncDisposable
{
    private readonly ManifestFixture _fixture = new();

    private static string Web => ManifestText.Service() + "---\n" + ManifestText.Slice(addresses: ["10.244.1.11", "10.244.1.12"]);

    public Task InitializeAsync() => Task.CompletedTask;

    public ValueTask DisposeAsync() => _fixture.DisposeAsync();

    // Only this interface's method is called by the runner.
    Task IAsyncLifetime.DisposeAsync() => DisposeAsync().AsTask();

    [Fact]
    public async Task What_is_there_at_the_start_is_served_as_one_batch()
    {
        _fixture.Write("web.yaml", Web);
        _fixture.Write("dns.yml", ManifestText.Service("dns", "10.96.0.11"));
        _fixture.Write("node.json", ManifestText.Node());
        _fixture.Write("other-node.json", ManifestText.Node("node-2", "zone-b"));
        _fixture.Write("notes.txt", "not: [a manifest");
        _fixture.Write(".web.yaml.swp", "not: [a manifest");
        await _fixture.StartAsync();

        Assert.Equal("dns web", _fixture.ServiceNames);
        Assert.Equal("10.244.1.11 10.244.1.12", _fixture.Endpoints());
        Assert.Equal(new Node("node-1", "zone-a"), _fixture.Take().Node);
        Assert.Equal(["dns web"], _fixture.Batches);
        Assert.True(_fixture.Writer.IsComplete);
        Assert.Empty(_fixture.Problems);
        Assert.Empty(_fixture.Logger.Warnings);
    }

    [Fact]
    public async Task Empty_directory_is_complete()
    {
        await _fixture.StartAsync();

        Assert.True(_fixture.Writer.IsComplete);
        Assert.Equal("", _fixture.ServiceNames);
    }

    [Fact]
    public async Task Edit_is_one_batch_that_touches_only_what_changed()
    {
        _fixture.Write("all.yaml", Web + "---\n" + ManifestText.Service("dns", "10.96.0.11"));
        await _fixture.StartAsync();
        _fixture.Take();
        _fixture.Batches.Clear();

        await _fixture.WriteAndTellAsync("all.yaml",
            ManifestText.Service("dns", "10.96.0.11") + "---\n" + ManifestText.Service() + "---\n"
            + ManifestText.Slice(addresses: "10.244.1.13"));

        Assert.Equal("10.244.1.13", _fixture.Endpoints());
        Assert.Equal(["web"], _fixture.Batches);
    }

    [Fact]
    public async Task File_written_in_place_is_read_when_it_is_told()
    {
        await _fixture.StartAsync();
        await File.WriteAllTextAsync(_fixture.PathOf("web.yaml"), Web);
        await _fixture.TellAsync("web.yaml");

        Assert.Equal("web", _fixture.ServiceNames);
    }

    [Fact]
    public async Task File_rewritten_with_the_same_content_changes_nothing()
    {
        _fixture.Write("web.yaml", Web);
        await _fixture.StartAsync();
        _fixture.Take();
        _fixture.Batches.Clear();
        int taken = _fixture.Logger.CountOf(2003);

        await _fixture.WriteAndTellAsync("web.yaml", Web);
        _fixture.Take();

        Assert.Empty(_fixture.Batches);

        Assert.Equal(taken, _fixture.Logger.CountOf(2003));
    }

    [Fact]
    public async Task Deleted_file_takes_its_objects_with_it()
    {
        _fixture.Write("web.yaml", Web);
        _fixture.Write("dns.yaml", ManifestText.Service("dns", "10.96.0.11"));
        await _fixture.StartAsync();
        File.Delete(_fixture.PathOf("web.yaml"));
        await _fixture.TellAsync("web.yaml");

        Assert.Equal("dns", _fixture.ServiceNames);
        Assert.Equal("", _fixture.Endpoints());
    }

    [Theory]
    [InlineData("b.yaml", "a.yaml", "b.yaml", null)]
    [InlineData("b.yaml", "b.yaml", "a.yaml", null)]
    [InlineData("b.yaml", "a.yaml", null, null)]
    [InlineData("0.yaml", "a.yaml", null, null)]
    [InlineData("b.yaml", null, null, "apiVersion: v1\nkind: List\n")]
    public async Task Renamed_file_changes_nothing_whatever_is_told_of_it(string to, string? first, string? second, string? replaced)
    {
        _fixture.Write("a.yaml", Web);
        if (replaced is not null)
            _fixture.Write(to, replaced);
        await _fixture.StartAsync();
        _fixture.Take();
        _fixture.Batches.Clear();

        File.Move(_fixture.PathOf("a.yaml"), _fixture.PathOf(to), overwrite: true);
        foreach (string? name in (string?[])[first, second])
        {
            if (name is not null)
                await _fixture.TellAsync(name);
        }

        await _fixture.TellAsync(null, null);
        Assert.Equal("web", _fixture.ServiceNames);
        Assert.Equal("10.244.1.11 10.244.1.12", _fixture.Endpoints());
        Assert.Empty(_fixture.Batches);
    }

    [Fact]
    public async Task File_that_becomes_bad_keeps_its_last_good_version_and_the_others_go_on()
    {
        _fixture.Write("web.yaml", Web);
        await _fixture.StartAsync();

        await _fixture.WriteAndTellAsync("web.yaml", Web.Replace("port: 80\n", "port: 0\n", StringComparison.Ordinal)
            .Replace("10.244.1.12", "10.244.1.99", StringComparison.Ordinal));
        await _fixture.WriteAndTellAsync("dns.yaml", ManifestText.Service("dns", "10.96.0.11"));

        Assert.Equal("dns web", _fixture.ServiceNames);
        Assert.Equal("10.244.1.11 10.244.1.12", _fixture.Endpoints());
        Assert.True(_fixture.Writer.IsComplete);
        const string Text = "web.yaml:8: Service default/web: spec.ports[0].port: 0 is not a port; expected 1 to 65535";
        Assert.Equal([$"{Text}. The last good version stays in force, with 2 objects"], _fixture.Logger.Warnings);
        Assert.Equal(Text, Assert.Single(_fixture.Problems).ToString());
    }

    [Fact]
    public async Task Bad_version_is_told_once_and_the_next_one_again()
    {
        await _fixture.StartAsync();
        await _fixture.WriteAndTellAsync("web.yaml", ManifestText.Service(port: "0"));
        await _fixture.WriteAndTellAsync("web.yaml", ManifestText.Service(port: "0"));
        await _fixture.TellAsync("web.yaml", null);
        await _fixture.RescanAsync();
        await _fixture.RescanAsync(_fixture.Options.SettleTime);
        Assert.Single(_fixture.Logger.Warnings);

        await _fixture.WriteAndTellAsync("web.yaml", ManifestText.Service(port: "65536"));
        Assert.Equal(2, _fixture.Logger.Warnings.Count);

        await _fixture.WriteAndTellAsync("web.yaml", ManifestText.Service());
        Assert.Equal("web", _fixture.ServiceNames);
        Assert.Equal(1, _fixture.Logger.CountOf(2004));
        Assert.Empty(_fixture.Problems);
    }

    [Fact]
    public async Task Several_problems_of_a_file_are_one_warning()
    {
        await _fixture.StartAsync();
        await _fixture.WriteAndTellAsync("web.yaml", ManifestText.Service(port: "0", clusterIP: "nonsense"));

        Assert.Equal(
            ["web.yaml:6: Service default/web: spec.clusterIP: 'nonsense' is not an IP address (and 1 more problem in this file). "
                + "Nothing of the file is served"],
            _fixture.Logger.Warnings);
        Assert.Equal(2, _fixture.Problems.Count);
    }

    [Fact]
    public async Task File_that_is_bad_from_the_start_keeps_the_source_incomplete_until_it_is_repaired()
    {
        _fixture.Write("web.yaml", ManifestText.Service(port: "0"));
        _fixture.Write("dns.yaml", ManifestText.Service("dns", "10.96.0.11"));
        await _fixture.StartAsync();

        Assert.False(_fixture.Writer.IsComplete);
        Assert.Equal("dns", _fixture.ServiceNames);

        await _fixture.WriteAndTellAsync("web.yaml", ManifestText.Service());
        Assert.True(_fixture.Writer.IsComplete);
        Assert.Equal("dns web", _fixture.ServiceNames);
    }

    [Fact]
    public async Task File_that_is_bad_from_the_start_keeps_the_source_incomplete_until_it_is_deleted()
    {
        _fixture.Write("web.yaml", "not: [valid");
        _fixture.Write("more.yaml", "");
        await _fixture.StartAsync();

        File.Delete(_fixture.PathOf("web.yaml"));
        await _fixture.TellAsync("web.yaml");
        Assert.False(_fixture.Writer.IsComplete);

        File.Delete(_fixture.PathOf("more.yaml"));
        await _fixture.TellAsync("more.yaml");
        Assert.True(_fixture.Writer.IsComplete);
        Assert.Empty(_fixture.Problems);
    }

    [Fact]
    public async Task File_that_becomes_bad_later_leaves_the_source_complete()
    {
        await _fixture.StartAsync();
        await _fixture.WriteAndTellAsync("new.yaml", "not: [valid");

        Assert.True(_fixture.Writer.IsComplete);
        Assert.Single(_fixture.Problems);
    }

    [Fact]
    public async Task Truncated_file_is_not_a_wish_to_remove_its_objects()
    {
        _fixture.Write("web.yaml", Web);
        await _fixture.StartAsync();

        await File.WriteAllTextAsync(_fixture.PathOf("web.yaml"), "");
        await _fixture.TellAsync("web.yaml");

        Assert.Equal("web", _fixture.ServiceNames);
        Assert.Equal("the file cannot be read: it is empty, or not a regular file; delete it if its objects shall go",
            Assert.Single(_fixture.Problems).Message);

        await _fixture.WriteAndTellAsync("web.yaml", "# nothing any more\n");
        Assert.Equal("", _fixture.ServiceNames);
        Assert.Empty(_fixture.Problems);
    }

    [Fact]
    public async Task File_beyond_the_size_limit_is_refused_unread()
    {
        _fixture.Options = _fixture.Options with { Limits = new ManifestLimits { MaxFileBytes = 4096 } };
        _fixture.Write("big.yaml", ManifestText.Service() + new string('#', 5000));
        await _fixture.StartAsync();

        Assert.Equal("big.yaml: the file cannot be read: it has 5103 bytes, more than the 4096 that are read; split it",
            Assert.Single(_fixture.Problems).ToString());
    }

    [Fact]
    public async Task Unknown_kind_is_a_remark_and_the_rest_of_the_file_is_served()
    {
        _fixture.Write("web.yaml", "apiVersion: apps/v1\nkind: Deployment\n---\n" + Web);
        await _fixture.StartAsync();

        Assert.Equal("web", _fixture.ServiceNames);
        Assert.True(_fixture.Writer.IsComplete);
        Assert.Single(_fixture.Logger.Warnings);
        Assert.Equal(Severity.Ignored, Assert.Single(_fixture.Problems).Severity);
    }

    [Fact]
    public async Task Of_two_files_with_one_object_the_first_by_name_has_it_and_the_other_takes_over()
    {
        _fixture.Write("b.yaml", ManifestText.Service(port: "82"));
        await _fixture.StartAsync();
        await _fixture.WriteAndTellAsync("c.yaml", ManifestText.Service(port: "83"));
        Assert.Equal(82, _fixture.Service("web")!.Ports[0].Port);

        await _fixture.WriteAndTellAsync("a.yaml", ManifestText.Service(port: "81"));
        Assert.Equal(81, _fixture.Service("web")!.Ports[0].Port);
        Assert.Equal(
            ["Service default/web is in b.yaml and in c.yaml. The one in b.yaml is served, the other takes over when it goes",
                "Service default/web is in a.yaml and in b.yaml. The one in a.yaml is served, the other takes over when it goes",
                "Service default/web is in a.yaml and in c.yaml. The one in a.yaml is served, the other takes over when it goes"],
            _fixture.Logger.Warnings);
        Assert.Equal(["b.yaml", "c.yaml"], _fixture.Problems.Select(problem => problem.File));

        File.Delete(_fixture.PathOf("a.yaml"));
        await _fixture.TellAsync("a.yaml");
        Assert.Equal(82, _fixture.Service("web")!.Ports[0].Port);

        await _fixture.WriteAndTellAsync("b.yaml", ManifestText.Service("other"));
        Assert.Equal(83, _fixture.Service("web")!.Ports[0].Port);
        Assert.Empty(_fixture.Problems);
    }

    [Fact]
    public async Task Object_that_moves_to_another_file_is_no_change()
    {
        _fixture.Write("a.yaml", ManifestText.Service());
        await _fixture.StartAsync();
        _fixture.Take();
        _fixture.Batches.Clear();

        await _fixture.WriteAndTellAsync("b.yaml", ManifestText.Service());
        await _fixture.WriteAndTellAsync("a.yaml", "# moved\n");
        _fixture.Take();

        Assert.Empty(_fixture.Batches);
        Assert.Equal("web", _fixture.ServiceNames);
    }

    [Fact]
    public async Task S25_service_that_another_proxy_takes_over_is_removed_and_comes_back()
    {
        _fixture.Write("web.yaml", ManifestText.Service());
        await _fixture.StartAsync();
        string foreign = ManifestText.Service().Replace("  name: web",
            "  name: web\n  labels: {service.kubernetes.io/service-proxy-name: other}", StringComparison.Ordinal);

        await _fixture.WriteAndTellAsync("web.yaml", foreign);
        Assert.Equal("", _fixture.ServiceNames);

        await _fixture.WriteAndTellAsync("web.yaml", ManifestText.Service());
        Assert.Equal("web", _fixture.ServiceNames);
    }

    [Fact]
    public async Task S153_service_and_slice_may_come_in_any_order_and_a_new_cluster_IP_replaces_the_old_one()
    {
        await _fixture.StartAsync();
        await _fixture.WriteAndTellAsync("slice.yaml", ManifestText.Slice(addresses: "10.244.1.11"));
        Assert.Equal("10.244.1.11", _fixture.Endpoints());

        await _fixture.WriteAndTellAsync("web.yaml", ManifestText.Service());
        await _fixture.WriteAndTellAsync("web.yaml", ManifestText.Service(clusterIP: "10.96.0.99"));
        Assert.Equal([Address.Parse("10.96.0.99")], _fixture.Service("web")!.ClusterIPs);

        File.Delete(_fixture.PathOf("web.yaml"));
        await _fixture.TellAsync("web.yaml");
        Assert.Equal(("", "10.244.1.11"), (_fixture.ServiceNames, _fixture.Endpoints()));

        File.Delete(_fixture.PathOf("slice.yaml"));
        await _fixture.TellAsync("slice.yaml");
        Assert.Equal("", _fixture.Endpoints());
    }

    [Fact]
    public async Task S161_zone_of_this_node_follows_its_file()
    {
        await _fixture.StartAsync();
        Assert.Null(_fixture.Take().Node);

        await _fixture.WriteAndTellAsync("node.json", ManifestText.Node(zone: "zone-a"));
        Assert.Equal("zone-a", _fixture.Take().Node!.Zone);

        await _fixture.WriteAndTellAsync("node.json", ManifestText.Node(zone: "zone-b"));
        Assert.Equal("zone-b", _fixture.Take().Node!.Zone);

        File.Delete(_fixture.PathOf("node.json"));
        await _fixture.TellAsync("node.json");
        Assert.Null(_fixture.Take().Node);
    }

    [Fact]
    public async Task Burst_of_more_names_than_fit_the_queue_loses_nothing()
    {
        await _fixture.StartAsync();
        const int Files = 5000;
        for (int i = 0; i < Files; i++)
            _fixture.Write($"s{i}.yaml", ManifestText.Service($"s{i}", $"10.97.{i / 250}.{(i % 250) + 1}"));

        await _fixture.TellAsync([.. Enumerable.Range(0, Files).Select(i => $"s{i}.yaml")]);
        await _fixture.RescanAsync(_fixture.Options.SettleTime);

        Assert.Equal(Files, _fixture.Take().ServiceCount);
    }

    [Fact]
    public async Task S197_file_name_with_a_line_break_stays_on_one_line_of_the_log()
    {
        _fixture.Write("we\nb\u001b[31m.yaml", "not: [valid");
        await _fixture.StartAsync();

        string warning = Assert.Single(_fixture.Logger.Warnings, text => text.Contains("31m.yaml", StringComparison.Ordinal));
        Assert.StartsWith("we\\u000ab\\u001b[31m.yaml:1: not valid YAML", warning, StringComparison.Ordinal);
    }
}
