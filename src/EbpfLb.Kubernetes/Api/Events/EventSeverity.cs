// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Kubernetes.Api.Events;

/// <summary>The names are the API's types of an Event.</summary>
public enum EventSeverity : byte
{
    Normal,
    Warning,
}
