// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Text.Json;
using System.Text.Json.Serialization;
using EbpfLb.Bench.Comparison.Results;
using EbpfLb.Kubernetes.Translation;

namespace EbpfLb.Bench.Comparison.Reporting;

/// <summary>results.json.</summary>
internal static class ResultsFile
{
    public static void Write(Results.Comparison run, string file) => File.WriteAllText(file, Text(run));

    public static Results.Comparison Read(string file)
    {
        try
        {
            return Parse(File.ReadAllText(file), file);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new BenchException($"{PrintableText.Quote(file)} cannot be read: {PrintableText.Escape(exception.Message)}");
        }
    }

    public static string Text(Results.Comparison run) => JsonLines.Text(
        run.Schema,
        JsonLines.List("environment", run.Environment, ResultsJson.Default.Fact),
        JsonLines.Member("method", run.Method, ResultsJson.Default.Method),
        JsonLines.List("series", run.Series, ResultsJson.Default.Series),
        JsonLines.List("distributions", run.Distributions, ResultsJson.Default.Distribution),
        JsonLines.List("notMeasured", run.NotMeasured, ResultsJson.Default.Omission));

    /// <param name="source">Where the text is from, for messages.</param>
    public static Results.Comparison Parse(string text, string source)
    {
        try
        {
            CheckSchema(JsonLines.Schema(text), source);
            var run = JsonSerializer.Deserialize(text, ResultsJson.Default.Comparison)!;
            CheckNames(run, source);
            return run;
        }
        catch (JsonException exception)
        {
            throw new BenchException($"{PrintableText.Quote(source)} is not the result of a comparison: "
                + PrintableText.Escape(exception.Message));
        }
    }

    private static void CheckSchema(int? schema, string source)
    {
        if (schema is null)
        {
            throw new BenchException(
                $"{PrintableText.Quote(source)} is not the result of a comparison: it has no number 'schema' at its beginning");
        }

        if (schema != Results.Comparison.CurrentSchema)
        {
            throw new BenchException($"{PrintableText.Quote(source)} has schema {schema}, and this program reads schema "
                + $"{Results.Comparison.CurrentSchema}: use the version that wrote it, or measure again");
        }
    }

    private static void CheckNames(Results.Comparison run, string source)
    {
        var names = run.Series.Select(series => (series.Measure, series.Mode))
            .Concat(run.Distributions.Select(durations => (durations.Measure, durations.Mode)));
        foreach (var (measure, mode) in names)
        {
            if (Measure.All.All(known => known.Id != measure))
                throw new BenchException($"{PrintableText.Quote(source)} has a measure {PrintableText.Quote(measure)}, which is not known");
            if (!Mode.All.Contains(mode))
                throw new BenchException($"{PrintableText.Quote(source)} has a mode {PrintableText.Quote(mode)}, which is not known");
        }
    }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(Results.Comparison))]
internal sealed partial class ResultsJson : JsonSerializerContext;
