// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Linux.Files;

/// <param name="Name">Inside the directory; null when the event is about the directory itself or about the queue.</param>
public readonly record struct InotifyEvent(InotifyKind Kind, string? Name);
