// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Kubernetes.Configuration;

namespace EbpfLb.Cli.Configuration;

/// <summary>kube-proxy's settings, from its file and from its flags; the flags win.</summary>
/// <param name="File">Null: there is none.</param>
/// <param name="Flags">As they were typed.</param>
internal sealed record KubeProxySettings(string? File, IReadOnlyList<(KubeProxyFlag Flag, string Text)> Flags)
{
    public static KubeProxySettings None { get; } = new(null, []);

    /// <param name="errors">Gets a sentence for everything that is wrong.</param>
    /// <param name="warnings">Gets what is set and means nothing here.</param>
    public KubeProxyConfiguration Bind(List<string> errors, List<string> warnings)
    {
        var configuration = new KubeProxyConfiguration();
        if (File is not null)
        {
            var file = KubeProxyConfigurationFile.Read(File);
            errors.AddRange(file.Errors);
            warnings.AddRange(file.Warnings);
            configuration = file.Configuration;
        }

        var passedOver = new List<string>();
        foreach (var (flag, text) in Flags)
        {
            if (flag.Field is null)
            {
                if (!flag.IsSwitch || text is not ("false" or "0"))
                    errors.Add($"{flag.Name}: the agent does not do this; {flag.InPlace}.");
            }
            else if (flag.Field.Apply(configuration, text, out bool saysNothing) is { } changed)
            {
                configuration = changed;
                if (flag.Field.IsPassedOver && !saysNothing)
                    passedOver.Add(flag.Name);
            }
            else
                errors.Add($"{flag.Name} {text}: this is not {flag.Field.Expected}.");
        }

        if (passedOver.Count > 0)
            warnings.Add($"these flags mean nothing here and are passed over: {string.Join(", ", passedOver)}");
        return configuration;
    }
}
