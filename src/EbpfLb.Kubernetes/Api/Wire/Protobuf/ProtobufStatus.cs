// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Text;
using EbpfLb.Kubernetes.Manifests.Decoding;
using EbpfLb.Kubernetes.Translation;

namespace EbpfLb.Kubernetes.Api.Wire.Protobuf;

internal static class ProtobufStatus
{
    /// <exception cref="WireException">The message is no status.</exception>
    public static ApiStatus ReadMessage(ReadOnlySpan<byte> message)
    {
        var envelope = Envelope.Open(message, new TextPool());
        if (envelope.Identity != ResourceIdentity.Status)
            throw new WireException($"a status is expected, not {PrintableText.Quote(envelope.Identity.Kind)}");

        var status = new ApiStatus(0, "", "");
        for (var fields = new ProtoReader(envelope.Content); fields.Read();)
        {
            switch (fields.Field)
            {
                case Messages.Status.MessageFieldNumber:
                    status = status with { Message = Encoding.UTF8.GetString(fields.Bytes) };
                    break;
                case Messages.Status.ReasonFieldNumber:
                    status = status with { Reason = Encoding.UTF8.GetString(fields.Bytes) };
                    break;
                case Messages.Status.CodeFieldNumber:
                    status = status with { Code = fields.Int32 };
                    break;
                case Messages.Status.DetailsFieldNumber:
                    status = status with { RetryAfterSeconds = ReadRetryAfter(fields.Bytes) };
                    break;
            }
        }

        return status;
    }

    private static int? ReadRetryAfter(ReadOnlySpan<byte> details)
    {
        int seconds = 0;
        for (var fields = new ProtoReader(details); fields.Read();)
        {
            if (fields.Field == Messages.StatusDetails.RetryAfterSecondsFieldNumber)
                seconds = fields.Int32;
        }

        // The server writes the zero of a field that is not set.
        return seconds > 0 ? seconds : null;
    }
}
