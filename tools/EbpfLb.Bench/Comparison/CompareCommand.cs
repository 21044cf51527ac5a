// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Text.Json;
using EbpfLb.Bench.Comparison.Reporting;
using EbpfLb.Bench.Comparison.Results;
using EbpfLb.Datapath.Loading;
using EbpfLb.Kubernetes.Translation;
using EbpfLb.Linux;

namespace EbpfLb.Bench.Comparison;

/// <summary>The front door of the comparison.</summary>
internal static class CompareCommand
{
    public static bool Has(IReadOnlyList<string> args) => args.Count > 0 && args[0] == ComparisonOptions.Verb;

    /// <returns>The exit status.</returns>
    public static int Run(IReadOnlyList<string> args, CancellationToken stopping)
    {
        ComparisonOptions options;
        try
        {
            options = ComparisonOptions.Parse([.. args.Skip(1)]);
        }
        catch (BenchException exception)
        {
            Console.Error.WriteLine(exception.Message);
            Console.Error.WriteLine(ComparisonOptions.Usage);
            return 2;
        }

        if (options.Help)
        {
            Console.WriteLine(ComparisonOptions.Usage);
            return 0;
        }

        if (ComparisonOptions.WhyNot() is { } reason)
        {
            Console.Error.WriteLine(reason);
            return 1;
        }

        try
        {
            var run = new ComparisonRun(options, new Progress(Console.Error, !Console.IsErrorRedirected)).Run(stopping);
            ComparisonOutput.Write(run, options.Output, Console.Out);
            if (run.Series.Any(series => series.Mode == Mode.Ebpf))
                return 0;

            Console.Error.WriteLine("the agent has no figure: what it failed with is above, under 'Not measured'");
            return 1;
        }
        // What a signal ends fails in ways of its own.
        catch (Exception exception) when (stopping.IsCancellationRequested
            && exception is OperationCanceledException or BenchException or IOException)
        {
            Console.Error.WriteLine("\ninterrupted: nothing was written, and what was made is removed");
            return 1;
        }
        catch (Exception exception) when (exception is BenchException or DatapathException or LinuxException or IOException
            or UnauthorizedAccessException or HttpRequestException or TimeoutException or JsonException or KeyNotFoundException
            or TaskCanceledException)
        {
            Console.Error.WriteLine(PrintableText.Escape(exception.Message));
            return 1;
        }
    }
}
