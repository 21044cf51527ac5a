// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Globalization;
using System.Text.Json;
using EbpfLb.Kubernetes.Manifests.Tree;

namespace EbpfLb.Kubernetes.Api.Client.Credentials;

internal static class JsonText
{
    /// <summary>A YAML tree as the JSON that kubectl makes of it.</summary>
    public static void Write(Utf8JsonWriter json, ManifestNode node)
    {
        switch (node)
        {
            case ManifestMapping mapping:
                json.WriteStartObject();
                foreach (var (key, value) in mapping.Entries)
                {
                    json.WritePropertyName(key);
                    Write(json, value);
                }

                json.WriteEndObject();
                break;
            case ManifestSequence sequence:
                json.WriteStartArray();
                foreach (var item in sequence.Items)
                    Write(json, item);
                json.WriteEndArray();
                break;
            case ManifestScalar { Kind: ScalarKind.Null }:
                json.WriteNullValue();
                break;
            case ManifestScalar { Kind: ScalarKind.Boolean } scalar:
                json.WriteBooleanValue(PlainScalar.IsTrue(scalar.Text));
                break;
            case ManifestScalar { Kind: ScalarKind.Integer } scalar when PlainScalar.TryParseInteger(scalar.Text, out long number):
                json.WriteNumberValue(number);
                break;
            case ManifestScalar { Kind: ScalarKind.Float } scalar when double.TryParse(scalar.Text, CultureInfo.InvariantCulture,
                out double number) && double.IsFinite(number):
                json.WriteNumberValue(number);
                break;
            case ManifestScalar scalar:
                json.WriteStringValue(scalar.Text);
                break;
        }
    }
}
