// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

namespace EbpfLb.Kubernetes.Api.Events;

/// <summary>Events as requests of events.k8s.io/v1.</summary>
internal static class EventRequests
{
    public const int MaxNoteBytes = 1024;

    private const string ReportingController = "ebpflb";

    // The API's limit for the instance; a node's name may be longer.
    private const int MaxInstance = 128;

    /// <param name="jumped">How far the clock was set since the times of the Event began to count.</param>
    public static HttpRequestMessage Create(RecordedEvent recorded, string nodeName, TimeSpan jumped) => Request(
        HttpMethod.Post, Collection(recorded), "application/json", json =>
        {
            var key = recorded.Key;
            json.WriteString("apiVersion", "events.k8s.io/v1");
            json.WriteString("kind", "Event");
            json.WriteStartObject("metadata");
            json.WriteString("name", recorded.Name);
            json.WriteString("namespace", key.Service.Namespace);
            json.WriteEndObject();
            json.WriteString("eventTime", MicroTime(recorded.FirstObserved + jumped));
            WriteSeries(json, recorded, jumped);
            json.WriteString("reportingController", ReportingController);
            json.WriteString("reportingInstance", nodeName.Length <= MaxInstance ? nodeName : nodeName[..MaxInstance]);
            json.WriteString("action", EventReasons.ActionOf(key.Reason));
            json.WriteString("reason", key.Reason);
            json.WriteStartObject("regarding");
            json.WriteString("apiVersion", "v1");
            json.WriteString("kind", "Service");
            json.WriteString("namespace", key.Service.Namespace);
            json.WriteString("name", key.Service.Name);
            if (key.Uid.Length > 0)
                json.WriteString("uid", key.Uid);
            json.WriteEndObject();
            json.WriteString("note", key.Note);
            json.WriteString("type", key.Severity == EventSeverity.Warning ? "Warning" : "Normal");
        });

    /// <summary>Tells the server how often it happened by now.</summary>
    /// <param name="jumped">As for <see cref="Create"/>.</param>
    public static HttpRequestMessage Patch(RecordedEvent recorded, TimeSpan jumped) => Request(
        HttpMethod.Patch, $"{Collection(recorded)}/{recorded.Name}", "application/merge-patch+json",
        json => WriteSeries(json, recorded, jumped));

    /// <summary>What the API takes as a note: cut between two characters, and marked as cut.</summary>
    public static string FitNote(string text)
    {
        if (Encoding.UTF8.GetByteCount(text) <= MaxNoteBytes)
            return text;

        const string Cut = "...";
        int bytes = 0, length = 0;
        foreach (var rune in text.EnumerateRunes())
        {
            bytes += rune.Utf8SequenceLength;
            if (bytes > MaxNoteBytes - Cut.Length)
                break;
            length += rune.Utf16SequenceLength;
        }

        return text[..length] + Cut;
    }

    private static string Collection(RecordedEvent recorded) =>
        $"/apis/events.k8s.io/v1/namespaces/{recorded.Key.Service.Namespace}/events";

    // A series of one is none to the API.
    private static void WriteSeries(Utf8JsonWriter json, RecordedEvent recorded, TimeSpan jumped)
    {
        if (recorded.Count < 2)
            return;

        json.WriteStartObject("series");
        json.WriteNumber("count", recorded.Count);
        json.WriteString("lastObservedTime", MicroTime(recorded.LastObserved + jumped));
        json.WriteEndObject();
    }

    private static string MicroTime(DateTimeOffset time) =>
        time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture);

    private static HttpRequestMessage Request(HttpMethod method, string path, string contentType, Action<Utf8JsonWriter> writeFields)
    {
        using var body = new MemoryStream();
        using (var json = new Utf8JsonWriter(body))
        {
            json.WriteStartObject();
            writeFields(json);
            json.WriteEndObject();
        }

        var request = new HttpRequestMessage(method, new Uri(path, UriKind.Relative)) { Content = new ByteArrayContent(body.ToArray()) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue(contentType);
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
        return request;
    }
}
