// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.FakeApi.Faults;

/// <summary>The rules in force. Any thread may change them.</summary>
public sealed class FaultRules
{
    private readonly Lock _lock = new();
    private readonly List<(FaultRule Rule, int Left)> _rules = [];

    public void Add(FaultRule rule)
    {
        lock (_lock)
            _rules.Add((rule, rule.Times ?? int.MaxValue));
    }

    public void Clear()
    {
        lock (_lock)
            _rules.Clear();
    }

    internal FaultRule? Take(RequestKind kind, Store.ResourceType? type)
    {
        lock (_lock)
        {
            int index = _rules.FindIndex(entry => entry.Rule.Fits(kind, type));
            if (index < 0)
                return null;
            var (rule, left) = _rules[index];
            if (left == 1)
                _rules.RemoveAt(index);
            else if (rule.Times is not null)
                _rules[index] = (rule, left - 1);
            return rule;
        }
    }
}
