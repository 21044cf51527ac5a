// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Security.Authentication;

namespace EbpfLb.Kubernetes.Api.Client.Connection;

/// <summary>The server's certificate is not one to trust. The message is a cause and a way out, to be put behind the server's name.</summary>
internal sealed class CertificateRefusedException(string message) : AuthenticationException(message);
