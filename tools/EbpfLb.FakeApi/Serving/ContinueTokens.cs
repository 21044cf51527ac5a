// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using EbpfLb.FakeApi.Store;

namespace EbpfLb.FakeApi.Serving;

/// <summary>Lists that somebody may ask the rest of. Any thread may call it.</summary>
public sealed class ContinueTokens
{
    private const int Limit = 64;

    private readonly Lock _lock = new();
    private readonly Queue<long> _order = new();
    private readonly Dictionary<(ResourceType, long), ImmutableSortedDictionary<string, StoredObject>> _lists = [];

    /// <summary>From now on each token that was given out is answered with 410.</summary>
    public void Expire()
    {
        lock (_lock)
            _lists.Clear();
    }

    internal string Issue(
        ResourceType type, long version, ImmutableSortedDictionary<string, StoredObject> items, string lastKey)
    {
        lock (_lock)
        {
            if (_lists.TryAdd((type, version), items))
                _order.Enqueue(version);
            while (_order.Count > Limit)
            {
                long oldest = _order.Dequeue();
                foreach (var key in _lists.Keys.Where(key => key.Item2 == oldest).ToArray())
                    _lists.Remove(key);
            }
        }
        string json = new JsonObject { ["v"] = "meta.k8s.io/v1", ["rv"] = version, ["start"] = lastKey + "\0" }.ToJsonString();
        return Convert.ToBase64String(Encoding.UTF8.GetBytes(json)).TrimEnd('=').Replace('+', '-').Replace('/', '_');
    }

    /// <exception cref="ApiException">It is no token, or one that has expired.</exception>
    internal (ImmutableSortedDictionary<string, StoredObject> Items, long Version, string Start) Redeem(ResourceType type, string token)
    {
        (long version, string start) = Read(token);
        lock (_lock)
        {
            return _lists.TryGetValue((type, version), out var items)
                ? (items, version, start)
                : throw new ApiException(ApiStatus.Expired(
                    "The provided continue parameter is too old to display a consistent list result. You can start a new list without "
                    + "the continue parameter, or use the continue token in this response to retrieve the remainder of the results."));
        }
    }

    private static (long Version, string Start) Read(string token)
    {
        try
        {
            string base64 = token.Replace('-', '+').Replace('_', '/');
            var json = JsonNode.Parse(Convert.FromBase64String(base64.PadRight((base64.Length + 3) / 4 * 4, '=')));
            return (json?["rv"]?.GetValue<long>(), json?["start"]?.GetValue<string>()) is ({ } version, { } start)
                ? (version, start)
                : throw new FormatException("a field is missing");
        }
        catch (Exception exception) when (exception is FormatException or JsonException or InvalidOperationException)
        {
            throw new ApiException(ApiStatus.BadRequest("invalid continue token: continue key is not valid: " + exception.Message));
        }
    }
}
