// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Live.Tests.Support;

namespace EbpfLb.Live.Tests;

/// <summary>How connections spread over the backends.</summary>
public sealed class SelectionTests(LiveNode node) : LiveTest(node)
{
    private const int Flows = 20_000;
    private const int EndpointCount = 10;

    // The χ² value that nine degrees of freedom exceed once in a thousand times.
    private const double Critical = 27.877;

    [PrivilegedFact]
    public Task S113_random_selection_is_uniform() => AssertUniformAsync(Node.NewService());

    [PrivilegedFact]
    public Task S113_Maglev_selection_is_uniform() => AssertUniformAsync(Node.NewService(algorithm: "maglev"));

    private async Task AssertUniformAsync(LiveService service)
    {
        Client[] pods = [Node.P11, Node.P12, Node.P13, Node.P21, Node.P22];
        await service.PublishTextAsync(
            service.Manifest(),
            service.SliceV4("a", [new ServicePort("tcp", "TCP", 8080)], pods.Select(pod => pod.Ready)),
            service.SliceV4("b", [new ServicePort("tcp", "TCP", 8081)], pods.Select(pod => pod.Ready)));

        // A fair selection fails this once in a thousand times, and so twice in a row once in a million.
        double deviation = await DeviationAsync(service);
        if (deviation > Critical)
            deviation = await DeviationAsync(service);
        Assert.True(deviation <= Critical, $"χ² is {deviation:F1}, over {Critical}");
    }

    private async Task<double> DeviationAsync(LiveService service)
    {
        const double Expected = (double)Flows / EndpointCount;
        var report = await Node.Host.TcpAsync(service, DialFamily.V4, Flows);
        report.AssertNoneFailed();
        Assert.Equal(Flows, report.Succeeded);
        Assert.Equal(EndpointCount, report.Destinations.Count);
        return report.Destinations.Values.Sum(count => (count - Expected) * (count - Expected) / Expected);
    }
}
