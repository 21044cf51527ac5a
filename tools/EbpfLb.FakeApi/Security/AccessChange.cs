// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.FakeApi.Security;

/// <summary>A change of <see cref="AccessRules"/> that comes from outside the process.</summary>
/// <param name="Token">Is that of the user from now on, or nobody's without one.</param>
/// <param name="Grants">What the user may do from now on. Null: as before.</param>
internal sealed record AccessChange(string? Token, string? User, Grant[]? Grants)
{
    /// <exception cref="ArgumentException">It changes nothing.</exception>
    public void Apply(AccessRules rules)
    {
        if (User is null && (Token is null || Grants is not null))
            throw new ArgumentException("a user is missing");
        if (User is null)
            rules.RemoveToken(Token!);
        else if (Token is not null)
            rules.AddToken(Token, User);
        if (Grants is not null)
            rules.Allow(User!, Grants);
    }
}
