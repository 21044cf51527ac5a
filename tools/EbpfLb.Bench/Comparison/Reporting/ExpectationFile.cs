// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Text.Json;
using System.Text.Json.Serialization;
using EbpfLb.Kubernetes.Translation;

namespace EbpfLb.Bench.Comparison.Reporting;

/// <summary>expectation.json.</summary>
internal static class ExpectationFile
{
    public static string Committed => Path.Combine(BenchOptions.RepositoryRoot, "tools/EbpfLb.Bench/results/expectation.json");

    public static void Write(Expectation expectation, string file) => File.WriteAllText(file, Text(expectation));

    public static Expectation Read(string file)
    {
        string quoted = PrintableText.Quote(file);
        try
        {
            string text = File.ReadAllText(file);
            if (JsonLines.Schema(text) is var schema && schema != Expectation.CurrentSchema)
            {
                throw new BenchException($"{quoted} has {(schema is null ? "no schema" : $"schema {schema}")}, and this program reads "
                    + $"schema {Expectation.CurrentSchema}: take a new expectation from a full run, with --compare-expect");
            }

            return JsonSerializer.Deserialize(text, ExpectationJson.Default.Expectation)!;
        }
        catch (JsonException exception)
        {
            throw new BenchException($"{quoted} is no expectation: {PrintableText.Escape(exception.Message)}");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new BenchException($"{quoted} cannot be read: {PrintableText.Escape(exception.Message)}");
        }
    }

    public static string Text(Expectation expectation) => JsonLines.Text(
        expectation.Schema,
        JsonLines.List("from", expectation.From, ExpectationJson.Default.Fact),
        JsonLines.List("advantages", expectation.Advantages, ExpectationJson.Default.ExpectedAdvantage));
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(Expectation))]
internal sealed partial class ExpectationJson : JsonSerializerContext;
