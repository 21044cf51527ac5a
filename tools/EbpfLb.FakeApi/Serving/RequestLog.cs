// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.FakeApi.Serving;

/// <summary>What was asked, oldest first.</summary>
public sealed class RequestLog
{
    private const int Limit = 100_000;

    private readonly Lock _lock = new();
    private readonly List<RequestRecord> _records = [];

    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public IReadOnlyList<RequestRecord> All
    {
        get
        {
            lock (_lock)
                return [.. _records];
        }
    }

    /// <summary>Returns once so many requests fit, earlier ones counted; those that fit so far.</summary>
    public async Task<IReadOnlyList<RequestRecord>> WaitAsync(Func<RequestRecord, bool> fits, int count, CancellationToken cancellation)
    {
        while (true)
        {
            Task changed;
            lock (_lock)
            {
                RequestRecord[] found = [.. _records.Where(fits)];
                if (found.Length >= count)
                    return found;
                changed = _changed.Task;
            }
            await changed.WaitAsync(cancellation);
        }
    }

    public void Clear()
    {
        lock (_lock)
            _records.Clear();
    }

    internal void Add(RequestRecord record)
    {
        lock (_lock)
        {
            if (_records.Count >= Limit)
                _records.RemoveRange(0, Limit / 2);
            _records.Add(record);
            Tell();
        }
    }

    internal void Answered(RequestRecord record, int status)
    {
        lock (_lock)
        {
            record.Status = status;
            Tell();
        }
    }

    private void Tell()
    {
        _changed.SetResult();
        _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
