// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Globalization;
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.Packets.Tests.Ground;

/// <summary>Who has which address, in one family. What the namespace routes is in <see cref="PacketGround"/>.</summary>
internal sealed class AddressPlan
{
    private AddressPlan(bool v6) => IsIPv6 = v6;

    public static AddressPlan IPv4 { get; } = new(false);

    public static AddressPlan IPv6 { get; } = new(true);

    public bool IsIPv6 { get; }

    public AddressFamily Family => IsIPv6 ? AddressFamily.IPv6 : AddressFamily.IPv4;

    /// <summary>Of the first uplink, where clients come from.</summary>
    public Address Node => Pick("10.10.0.1", "2001:db8:10::1");

    /// <summary>Of the second uplink.</summary>
    public Address SecondNode => Pick("10.20.0.1", "2001:db8:20::1");

    /// <summary>An address of the node that answers no NodePorts.</summary>
    public Address QuietNode => Pick("172.31.0.1", "2001:db8:31::1");

    public Address Wildcard => Pick("0.0.0.0", "::");

    /// <summary>Inside the service CIDR; nobody has it.</summary>
    public Address Unallocated => Pick("10.96.9.9", "fd96::9:9");

    /// <summary>Routed nowhere.</summary>
    public Address Unreachable => Pick("192.168.77.7", "fd77::7");

    /// <summary>Of a neighbour whose MAC address is not known.</summary>
    public Address Silent => Pick("10.10.0.77", "2001:db8:10::77");

    public static AddressPlan Of(AddressFamily family) => family == AddressFamily.IPv6 ? IPv6 : IPv4;

    /// <summary>Behind the router of the first uplink.</summary>
    public Address Client(int n) => Pick($"192.0.2.{n}", string.Create(CultureInfo.InvariantCulture, $"2001:db8:c::{n:x}"));

    public Address ClusterIP(int n) => Pick($"10.96.0.{n}", string.Create(CultureInfo.InvariantCulture, $"fd96::{n:x}"));

    /// <summary>Load balancer addresses and external IPs.</summary>
    public Address Vip(int n) => Pick($"203.0.113.{n}", string.Create(CultureInfo.InvariantCulture, $"2001:db8:113::{n:x}"));

    public Address LocalPod(int n) => Pick($"10.244.1.{n}", string.Create(CultureInfo.InvariantCulture, $"2001:db8:244:1::{n:x}"));

    /// <summary>On another node, reached through the first uplink.</summary>
    public Address RemotePod(int n) => Pick($"10.244.2.{n}", string.Create(CultureInfo.InvariantCulture, $"2001:db8:244:2::{n:x}"));

    /// <summary>On another node, reached through the second uplink, whose MTU is 1400.</summary>
    public Address FarPod(int n) => Pick($"10.244.3.{n}", string.Create(CultureInfo.InvariantCulture, $"2001:db8:244:3::{n:x}"));

    private Address Pick(string v4, string v6) => Address.Parse(IsIPv6 ? v6 : v4);
}
