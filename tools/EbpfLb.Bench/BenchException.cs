// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Bench;

/// <summary>Something could not be measured, or was asked for in a way that is not understood.</summary>
internal sealed class BenchException(string message) : Exception(message);
