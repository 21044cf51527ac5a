// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Kubernetes.Api;
using EbpfLb.Kubernetes.Api.Reflection;
using EbpfLb.Kubernetes.Tests.Support;
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.Kubernetes.Tests.Api.Reflection;

public sealed class ProblemBookTests
{
    private readonly RecordingLogger<ApiSource> _logger = new();

    [Fact]
    public void Problems_beyond_the_limit_are_counted_and_told_no_more()
    {
        var book = new ProblemBook(_logger);
        for (int i = 0; i < ProblemBook.Limit + 5; i++)
            book.SetObject(ResourceKind.Service, Name(i), "is wrong");
        book.Publish();
        Assert.Equal(ProblemBook.Limit + 1, book.Current.Count);
        Assert.Equal(new ApiProblem("objects", "5 more have problems that are not told one by one"), book.Current[^1]);
        Assert.Equal(ProblemBook.Limit + 1, _logger.Warnings.Count);

        for (int i = 0; i < ProblemBook.Limit + 5; i++)
            book.SetObject(ResourceKind.Service, Name(i), null);
        book.Publish();
        Assert.Empty(book.Current);

        book.SetObject(ResourceKind.Service, Name(0), "is wrong");
        book.Publish();
        Assert.Single(book.Current);
    }

    [Fact]
    public void What_stays_the_same_is_told_once()
    {
        int changes = 0;
        var book = new ProblemBook(_logger) { Changed = () => changes++ };
        for (int i = 0; i < 3; i++)
        {
            book.SetObject(ResourceKind.EndpointSlice, Name(1), "is wrong");
            book.SetResource(ApiResource.Services, "is away");
            book.Publish();
        }

        Assert.Equal(1, changes);
        Assert.Equal([new ApiProblem("services", "is away"), new ApiProblem("EndpointSlice default/s1", "is wrong")], book.Current);
        Assert.Single(_logger.Warnings);
    }

    [Fact]
    public void Names_from_outside_are_printable_and_short()
    {
        var book = new ProblemBook(_logger);
        book.SetObject(ResourceKind.Node, new ObjectName("", "a\u001b[31m" + new string('b', 10_000)), "is wrong");
        book.Publish();

        string subject = Assert.Single(book.Current).Subject;
        Assert.StartsWith("Node a\\u001b[31mb", subject, StringComparison.Ordinal);
        Assert.InRange(subject.Length, 300, 400);
    }

    private static ObjectName Name(int number) => new("default", $"s{number}");
}
