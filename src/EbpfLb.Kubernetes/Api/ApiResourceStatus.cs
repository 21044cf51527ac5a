// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Kubernetes.Api;

/// <param name="Resource">As <see cref="ApiResource.Name"/>.</param>
/// <param name="Connected">The server answers, and tells of changes as they happen.</param>
/// <param name="Listed">The state is handed out as far as this resource goes.</param>
/// <param name="Objects">Known of it, served or not.</param>
/// <param name="LastContact">When the server last sent anything of it. Null when it never has.</param>
public sealed record ApiResourceStatus(string Resource, bool Connected, bool Listed, int Objects, DateTimeOffset? LastContact);
