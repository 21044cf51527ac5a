// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.FakeApi.Security;

/// <summary>
/// Who may do what. As long as nobody has been named, everybody may do everything. Any thread may change them, also while requests run.
/// </summary>
public sealed class AccessRules
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, string> _users = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Grant[]> _grants = new(StringComparer.Ordinal);

    private bool _asked;

    /// <summary>Who shows this token is that user.</summary>
    public void AddToken(string token, string user)
    {
        lock (_lock)
        {
            _asked = true;
            _users[token] = user;
        }
    }

    /// <summary>From now on 401.</summary>
    public void RemoveToken(string token)
    {
        lock (_lock)
            _users.Remove(token);
    }

    /// <summary>Takes the place of what the user might do before. A client certificate names the user in its common name.</summary>
    public void Allow(string user, params Grant[] grants)
    {
        lock (_lock)
        {
            _asked = true;
            _grants[user] = grants;
        }
    }

    /// <summary>The user, empty if nobody asks who it is; null if the credentials are none.</summary>
    internal string? Authenticate(string? token, string? certificateName)
    {
        lock (_lock)
            return !_asked ? "" : token is null ? certificateName : _users.GetValueOrDefault(token);
    }

    internal bool Allows(string user, string verb, string resource)
    {
        lock (_lock)
            return !_asked || Array.Exists(_grants.GetValueOrDefault(user, []), grant => grant.Allows(verb, resource));
    }
}
