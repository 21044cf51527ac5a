// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.FakeApi.Faults;
using EbpfLb.FakeApi.Store;
using EbpfLb.FakeApi.Wire;
using Microsoft.AspNetCore.Http;

namespace EbpfLb.FakeApi.Serving;

/// <summary>One request on its way through the server.</summary>
/// <param name="Aborted">The client went, or the server stops.</param>
internal sealed record Exchange(
    HttpContext Context, ApiRequest Request, FaultRule? Rule, RequestRecord Record, RequestLog Log, TimeProvider Time,
    CancellationToken Aborted)
{
    public ResourceType Type => Request.Type!;

    public string Query(string name) => Context.Request.Query[name].ToString();

    public Selection Selection()
    {
        try
        {
            return Store.Selection.Parse(Request.Namespace, Query("labelSelector"), Query("fieldSelector"));
        }
        catch (FormatException exception)
        {
            throw new ApiException(ApiStatus.BadRequest("unable to parse requirement: " + exception.Message));
        }
    }

    public bool WantsProtobuf(bool available) => Negotiation.WantsProtobuf(Context.Request.Headers.Accept.ToString(), available, Rule);

    public FaultyBody Begin(int status, string contentType)
    {
        Context.Response.StatusCode = status;
        Context.Response.ContentType = contentType;
        Log.Answered(Record, status);
        return new FaultyBody(Context.Response.BodyWriter, Rule, Time);
    }

    public async Task SendObjectAsync(int status, StoredObject item)
    {
        bool protobuf = WantsProtobuf(item.Type.Message is not null);
        byte[] bytes = protobuf ? Envelope.Wrap(item.Type.ApiVersion, item.Type.Kind, item.Message) : item.WholeText();
        await SendAsync(status, protobuf ? Negotiation.Protobuf : Negotiation.Json, bytes);
    }

    public async Task SendStatusAsync(ApiStatus status)
    {
        bool protobuf = status.Code != 406 && WantsProtobuf(true);
        var json = status.ToJson();
        byte[] bytes = protobuf
            ? Envelope.Wrap("v1", "Status", ProtobufEncoder.Encode("Status", json))
            : [.. StoredObject.Whole("v1", "Status", System.Text.Json.JsonSerializer.SerializeToUtf8Bytes(json)), (byte)'\n'];
        if (status.RetryAfterSeconds is { } seconds)
            Context.Response.Headers.RetryAfter = StoredObject.Text64(seconds);
        await SendAsync(status.Code, protobuf ? Negotiation.Protobuf : Negotiation.Json, bytes);
    }

    public async Task SendAsync(int status, string contentType, byte[] bytes)
    {
        var body = Begin(status, contentType);
        if (Rule?.ChunkSize is null)
            Context.Response.ContentLength = bytes.Length;
        await body.WriteAsync(bytes, Aborted);
        await body.FlushAsync(Aborted);
    }
}
