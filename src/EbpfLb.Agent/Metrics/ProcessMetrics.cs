// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Diagnostics;
using System.Globalization;

namespace EbpfLb.Agent.Metrics;

/// <summary>The names every Prometheus client has for its process, and the runtime's own.</summary>
internal static class ProcessMetrics
{
    /// <summary>When this process began: a while before anything of it runs.</summary>
    public static DateTimeOffset StartedAt()
    {
        using var self = Process.GetCurrentProcess();
        return self.StartTime;
    }

    public static void Write(Exposition exposition, DateTimeOffset startedAt)
    {
        Sample(exposition, "process_start_time_seconds", "gauge", "Start time of the process since unix epoch in seconds.",
            (startedAt - DateTimeOffset.UnixEpoch).TotalSeconds);
        Sample(exposition, "process_cpu_seconds_total", "counter", "Total user and system CPU time spent in seconds.",
            Environment.CpuUsage.TotalTime.TotalSeconds);
        Sample(exposition, "process_resident_memory_bytes", "gauge", "Resident memory size in bytes.", Environment.WorkingSet);
        Sample(exposition, "process_open_fds", "gauge", "Number of open file descriptors.",
            Directory.EnumerateFileSystemEntries("/proc/self/fd").Count());
        if (MaxDescriptors() is { } limit)
            Sample(exposition, "process_max_fds", "gauge", "Maximum number of open file descriptors.", limit);

        Sample(exposition, "dotnet_gc_heap_size_bytes", "gauge", "Managed heap, what is free in it included.",
            GC.GetGCMemoryInfo().HeapSizeBytes);
        Sample(exposition, "dotnet_gc_allocated_bytes_total", "counter", "Bytes ever allocated on the managed heap.",
            GC.GetTotalAllocatedBytes());
        exposition.Family("dotnet_gc_collections_total", "counter", "Collections of a generation and those below it.");
        for (int generation = 0; generation <= GC.MaxGeneration; generation++)
        {
            string labels = Exposition.Labels(["generation"], [generation.ToString(CultureInfo.InvariantCulture)]);
            exposition.Sample("dotnet_gc_collections_total", labels, (long)GC.CollectionCount(generation));
        }

        Sample(exposition, "dotnet_thread_pool_threads", "gauge", "Threads of the pool.", ThreadPool.ThreadCount);
        Sample(exposition, "dotnet_thread_pool_queue_length", "gauge", "Work items that wait for a thread of the pool.",
            ThreadPool.PendingWorkItemCount);
    }

    private static void Sample(Exposition exposition, string name, string type, string help, double value)
    {
        exposition.Family(name, type, help);
        exposition.Sample(name, "", value);
    }

    private static long? MaxDescriptors()
    {
        foreach (string line in File.ReadLines("/proc/self/limits"))
        {
            if (line.StartsWith("Max open files", StringComparison.Ordinal)
                && long.TryParse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[3], CultureInfo.InvariantCulture, out long limit))
                return limit;
        }

        return null;
    }
}
