// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Runtime.InteropServices;
using EbpfLb.Bench;
using EbpfLb.Bench.Comparison;
using EbpfLb.Bench.Comparison.Reporting;
using EbpfLb.Bench.Measuring;

if (ReportVerbs.Has(args))
    return ReportVerbs.Run(args, Console.Out, Console.Error);

// What a run made is removed on the way out, so it is left by cancellation and never by the signal itself.
using var interrupted = new CancellationTokenSource();
void Interrupt(PosixSignalContext context)
{
    context.Cancel = true;
    interrupted.Cancel();
}

using var onInterrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Interrupt);
using var onTerminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Interrupt);
using var onHangUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, Interrupt);

if (CompareCommand.Has(args))
    return CompareCommand.Run(args, interrupted.Token);

BenchOptions options;
try
{
    options = BenchOptions.Parse(args);
}
catch (BenchException exception)
{
    Console.Error.WriteLine(exception.Message);
    Console.Error.WriteLine(BenchOptions.Usage);
    return 2;
}

if (options.Help)
{
    Console.WriteLine(BenchOptions.Usage);
    return 0;
}

if (options.WhyNot() is { } reason)
{
    Console.Error.WriteLine(reason);
    return 1;
}

var report = new Report(Machine.Describe());
bool measured = await Suite.RunAsync(options, report, interrupted.Token);
report.Print(Console.Out);
if (options.Json is { } file)
    report.WriteJson(file);

return !measured || (options.Check && report.HardBarsMissed > 0) ? 1 : 0;
