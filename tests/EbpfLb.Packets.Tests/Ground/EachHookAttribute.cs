// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Reflection;
using EbpfLb.Datapath.Contract;
using EbpfLb.LoadBalancing.Model;
using Xunit.Sdk;

namespace EbpfLb.Packets.Tests.Ground;

/// <summary>A row for each hook that packets from the wire meet, XDP and tc,
/// and each family; what is given here comes after these two.</summary>
[AttributeUsage(AttributeTargets.Method, AllowMultiple = true)]
internal sealed class EachHookAttribute(params object[] more) : DataAttribute
{
    /// <summary>4 or 6, where the other family knows no such thing.</summary>
    public int Only { get; set; }

    public override IEnumerable<object[]> GetData(MethodInfo testMethod) =>
        from hook in new[] { Hook.Xdp, Hook.TcIngress }
        from family in new[] { AddressFamily.IPv4, AddressFamily.IPv6 }
        where Only == 0 || (Only == 6) == (family == AddressFamily.IPv6)
        select (object[])[hook, family, .. more];
}
