// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Datapath.Loading;

/// <summary>The datapath cannot be set up or read here. The message names the object, the cause and the way out, and is all a user needs.</summary>
public sealed class DatapathException : Exception
{
    public DatapathException(string message)
        : base(message)
    {
    }

    public DatapathException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
