// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.CommandLine;
using System.CommandLine.Completions;
using EbpfLb.Cli.Output;
using EbpfLb.Datapath.Inspection;
using EbpfLb.Datapath.Loading;

namespace EbpfLb.Cli.Commands;

/// <summary>A command that looks at the pinned maps and prints what it saw in the format that was asked for.</summary>
internal abstract class ReaderCommand : DescribedCommand
{
    private readonly Option<string?> _bpffs = BpfFsOption();
    private readonly Option<OutputFormat> _output;

    protected ReaderCommand(Terminal terminal, string name, string description, string details, bool hasWide = false)
        : base(name, description, details)
    {
        _output = OutputFormats.Option(hasWide);
        Add(_output);
        Add(_bpffs);
        SetAction(result =>
        {
            var report = Read(result, result.GetValue(_bpffs));
            switch (result.GetValue(_output))
            {
                case OutputFormat.Json:
                    report.WriteJson(terminal.Out);
                    break;
                case OutputFormat.Yaml:
                    report.WriteYaml(terminal.Out);
                    break;
                case var format:
                    report.WriteTable(terminal, wide: format == OutputFormat.Wide);
                    break;
            }

            return report.ExitCode;
        });
    }

    protected abstract Report Read(ParseResult result, string? bpffs);

    protected static Option<string?> NamespaceOption()
    {
        var option = new Option<string?>("--namespace", "-n")
        {
            Description = "Only services of this namespace.",
            HelpName = "NAMESPACE",
        };
        option.CompletionSources.Add(Names(name => name.Namespace));
        return option;
    }

    protected static Option<string?> ServiceOption(string description)
    {
        var option = new Option<string?>("--service")
        {
            Description = $"{description}: name, namespace/name, and either with :port-name.",
            HelpName = "NAME",
        };
        option.CompletionSources.Add(Names(name => name.Object));
        return option;
    }

    /// <summary>Whether the service of a map's name is meant. Each name is judged once.</summary>
    protected static Func<string, bool> Wanted(string? inNamespace, string? service)
    {
        if (inNamespace is null && service is null)
            return static _ => true;

        var judged = new Dictionary<string, bool>(StringComparer.Ordinal);
        return text =>
        {
            if (!judged.TryGetValue(text, out bool wanted))
            {
                var name = ServiceName.Parse(text);
                wanted = (inNamespace is null || name.Namespace == inNamespace) && (service is null || name.Matches(service));
                judged[text] = wanted;
            }

            return wanted;
        };
    }

    /// <summary>Completes from the maps. A shell has no use for an error here.</summary>
    protected static Func<CompletionContext, IEnumerable<CompletionItem>> Names(Func<ServiceName, string> select) => context =>
    {
        try
        {
            using var inspector = DatapathInspector.Open(BpfFsOf(context.ParseResult));
            return inspector.ReadSnapshot().Services.Select(service => select(ServiceName.Parse(service.Name)))
                .Where(text => text.Length > 0 && text == Printable.Of(text)).Distinct().Select(text => new CompletionItem(text)).ToArray();
        }
        catch (DatapathException)
        {
            return [];
        }
    };

    private static string? BpfFsOf(ParseResult result) =>
        result.CommandResult.Command.Options.FirstOrDefault(option => option.Name == "--bpffs") is Option<string?> option
            ? result.GetValue(option)
            : null;
}
