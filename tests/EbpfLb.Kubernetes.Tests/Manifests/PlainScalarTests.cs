// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Kubernetes.Manifests.Tree;

namespace EbpfLb.Kubernetes.Tests.Manifests;

public sealed class PlainScalarTests
{
    [Theory]
    [InlineData("", ScalarKind.Null)]
    [InlineData("~", ScalarKind.Null)]
    [InlineData("null", ScalarKind.Null)]
    [InlineData("nil", ScalarKind.String)]
    [InlineData("true", ScalarKind.Boolean)]
    [InlineData("tRue", ScalarKind.String)]
    [InlineData("Off", ScalarKind.Boolean)]
    [InlineData("y", ScalarKind.Boolean)]
    [InlineData("yes!", ScalarKind.String)]
    [InlineData("0", ScalarKind.Integer)]
    [InlineData("-12", ScalarKind.Integer)]
    [InlineData("+12", ScalarKind.Integer)]
    [InlineData("0x50", ScalarKind.Integer)]
    [InlineData("0b101", ScalarKind.Integer)]
    [InlineData("0o17", ScalarKind.Integer)]
    [InlineData("1_000", ScalarKind.Integer)]
    [InlineData("1.5", ScalarKind.Float)]
    [InlineData("1e3", ScalarKind.Float)]
    [InlineData(".5", ScalarKind.Float)]
    [InlineData(".inf", ScalarKind.Float)]
    [InlineData("99999999999999999999", ScalarKind.Float)]
    [InlineData("10.96.0.1", ScalarKind.String)]
    [InlineData("::1", ScalarKind.String)]
    [InlineData("1:20", ScalarKind.String)]
    [InlineData("-", ScalarKind.String)]
    [InlineData("2026-01-31T12:00:00Z", ScalarKind.String)]
    [InlineData("0x", ScalarKind.String)]
    public void Plain_scalar_has_the_kind_that_kubectl_sees(string text, object kind) => Assert.Equal((ScalarKind)kind, PlainScalar.KindOf(text));

    [Theory]
    [InlineData("80", 80)]
    [InlineData("0x50", 80)]
    [InlineData("0120", 80)]
    [InlineData("0o120", 80)]
    [InlineData("-0b1010000", -80)]
    [InlineData("1_0", 10)]
    [InlineData("9223372036854775807", long.MaxValue)]
    public void Integer_has_the_value_that_kubectl_sees(string text, long expected)
    {
        Assert.True(PlainScalar.TryParseInteger(text, out long value));
        Assert.Equal(expected, value);
    }
}
