// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Text.Json.Nodes;
using EbpfLb.Cli.Tests.Support;
using EbpfLb.Datapath.Contract;
using EbpfLb.Linux.Bpf;

namespace EbpfLb.Cli.Tests;

public sealed class DeviceStatusTests : IDisposable
{
    private readonly Lazy<(TestNode Node, NodeDevices Devices)> _ground = new(() =>
    {
        var node = new TestNode();
        node.WriteAgent();
        return (node, new NodeDevices(node));
    });

    private TestNode Node => _ground.Value.Node;

    private NodeDevices Devices => _ground.Value.Devices;

    [PrivilegedTheory]
    [InlineData(XdpMode.Native, "native")]
    [InlineData(XdpMode.Generic, "generic")]
    public void Devices_are_shown_with_their_hooks(XdpMode mode, string shown)
    {
        AttachUplink(mode);
        AttachPod();

        var result = Devices.Run("status");

        Assert.Equal((ExitCode.Done, "OK"), (result.ExitCode, result.Lines[0]));
        Assert.Contains("Devices:   1 uplinks attached, 1 of them with XDP; 1 pods attached\n", result.Out, StringComparison.Ordinal);
        Assert.Contains("DEVICE INDEX KIND XDP TC-INGRESS TC-EGRESS", result.Rows);
        Assert.Contains($@"up\x1b[31m0 {Devices.UplinkIndex} uplink {shown} attached attached", result.Rows);
        Assert.DoesNotContain(NodeDevices.Pod, result.Out, StringComparison.Ordinal);
        Assert.Contains($"pod0 {Devices.PodIndex} pod - attached attached", Devices.Run("status", "-o", "wide").Rows);
    }

    [PrivilegedFact]
    public void A_link_that_somebody_detached_is_missed_where_the_agent_says_attached()
    {
        AttachUplink(XdpMode.Native);
        AttachPod();
        Devices.Detach("tcx_in", Devices.UplinkIndex);
        Devices.Detach("tcx_pod", Devices.PodIndex);

        var result = Devices.Run("status");

        Assert.Equal(ExitCode.Failed, result.ExitCode);
        Assert.Equal(
            @"DEGRADED: not attached to devices: up\x1b[31m0 (tc_ingress), pod0 (tc_pod); the agent attaches them within 30 seconds, or its problems say why not",
            result.Lines[0]);
        Assert.Contains($@"up\x1b[31m0 {Devices.UplinkIndex} uplink native detached attached", result.Rows);
        Assert.Contains($"pod0 {Devices.PodIndex} pod - detached attached", result.Rows);

        // Without the agent's word the same is nobody's loss.
        Said(Devices.UplinkIndex, DeviceFlags.None);
        Said(Devices.PodIndex, DeviceFlags.XdpSends);
        Assert.Equal("OK", Devices.Run("status").Lines[0]);
    }

    [PrivilegedFact]
    public void A_device_that_is_called_attached_and_has_no_link_is_missed_while_it_is_there()
    {
        Said(Devices.UplinkIndex, DeviceFlags.Attached);
        Said(Devices.PodIndex, DeviceFlags.None);
        Devices.PinTcx("tcx_out", Devices.UplinkIndex);

        var result = Devices.Run("status");
        Assert.Equal(@"DEGRADED: not attached to devices: up\x1b[31m0; the agent attaches them within 30 seconds, or its problems say why not", result.Lines[0]);
        Assert.Contains($@"up\x1b[31m0 {Devices.UplinkIndex} uplink - - attached", result.Rows);

        Devices.Ip("link", "del", NodeDevices.Pod);
        result = Devices.Run("status");
        Assert.Equal("OK", result.Lines[0]);
        Assert.Contains($"(gone) {Devices.UplinkIndex} uplink - - detached", result.Rows);
    }

    [PrivilegedFact]
    public void From_another_network_namespace_devices_have_no_names()
    {
        AttachUplink(XdpMode.Native);
        Node.WriteSettings(new SettingsValue { NodeNetns = Devices.Cookie });

        Assert.Contains($@"up\x1b[31m0 {Devices.UplinkIndex} uplink native attached attached", Devices.Run("status").Rows);
        var elsewhere = Shell.Run("status", "--bpffs", Node.BpfFs);
        Assert.Equal("OK", elsewhere.Lines[0]);
        Assert.Contains($"- {Devices.UplinkIndex} uplink attached attached attached", elsewhere.Rows);
    }

    [PrivilegedFact]
    public void Devices_that_serve_are_not_down_when_the_socket_programs_are_gone()
    {
        AttachUplink(XdpMode.Native);
        foreach (string link in Directory.GetFiles(Path.Combine(Node.PinPath, "links"), "sock_*"))
            File.Delete(link);

        Assert.StartsWith("DEGRADED: not attached: sock_connect4, ", Devices.Run("status").Lines[0], StringComparison.Ordinal);

        File.Delete(Path.Combine(Node.PinPath, "services_v1"));
        var unread = Devices.Run("status");
        Assert.StartsWith("DEGRADED: ", unread.Lines[0], StringComparison.Ordinal);
        Assert.Contains($@"up\x1b[31m0 {Devices.UplinkIndex} uplink native attached attached", unread.Rows);
    }

    [PrivilegedFact]
    public void Scripts_get_every_device_with_its_links()
    {
        uint xdp = AttachUplink(XdpMode.Native);
        AttachPod();
        Devices.Detach("tcx_out", Devices.PodIndex);

        var status = JsonNode.Parse(Devices.Run("status", "-o", "json").Out)!;

        var devices = status["devices"]!.AsArray();
        Assert.Equal(2, devices.Count);
        Assert.Equal(
            ["index", "name", "kind", "gone", "saidAttached", "xdpMode", "foreignXdp", "links"], devices[0]!.AsObject().Select(member => member.Key));
        Assert.Equal(NodeDevices.Uplink, (string?)devices[0]!["name"]);
        Assert.Equal(("uplink", "native"), ((string?)devices[0]!["kind"], (string?)devices[0]!["xdpMode"]));
        Assert.True((bool)devices[0]!["saidAttached"]!);
        Assert.Equal($$"""{"hook":"xdp","state":"attached","programId":{{xdp}},"filter":false}""", devices[0]!["links"]![0]!.ToJsonString());
        Assert.Equal(
            """{"hook":"tc_egress","state":"detached","programId":null,"filter":false}""", devices[1]!["links"]![0]!.ToJsonString());
        Assert.Equal("tc_pod", (string?)devices[1]!["links"]![1]!["hook"]);
        Assert.Equal(
            devices.ToJsonString(), YamlReader.Read(Devices.Run("status", "-o", "yaml").Out)!["devices"]!.ToJsonString());
    }

    public void Dispose()
    {
        if (!_ground.IsValueCreated)
            return;

        Devices.Dispose();
        Node.Dispose();
    }

    private uint AttachUplink(XdpMode mode)
    {
        Said(Devices.UplinkIndex, DeviceFlags.Attached);
        Devices.PinTcx("tcx_in", Devices.UplinkIndex);
        Devices.PinTcx("tcx_out", Devices.UplinkIndex);
        return Devices.PinXdp(Devices.UplinkIndex, mode);
    }

    private void AttachPod()
    {
        Said(Devices.PodIndex, DeviceFlags.Attached);
        Devices.PinTcx("tcx_pod", Devices.PodIndex);
        Devices.PinTcx("tcx_out", Devices.PodIndex);
    }

    private void Said(int index, DeviceFlags flags) =>
        Assert.True(Node.Datapath!.Maps.Devices.Put((uint)index, new DeviceValue { Flags = flags }).Succeeded);
}
