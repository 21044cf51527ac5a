// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Runtime.ExceptionServices;

namespace EbpfLb.Linux.Processes;

/// <summary>For what changes the thread it is done on for good.</summary>
internal static class SingleUseThread
{
    /// <summary>Runs the function on a thread that ends with it, and waits.</summary>
    public static T Run<T>(string name, Func<T> function)
    {
        T result = default!;
        ExceptionDispatchInfo? failure = null;
        Thread thread = new(Body) { IsBackground = true, Name = name };
        thread.Start();
        thread.Join();
        failure?.Throw();
        return result;

        void Body()
        {
            try
            {
                result = function();
            }
#pragma warning disable CA1031 // Thrown again on the thread that waits.
            catch (Exception exception)
#pragma warning restore CA1031
            {
                failure = ExceptionDispatchInfo.Capture(exception);
            }
        }
    }
}
