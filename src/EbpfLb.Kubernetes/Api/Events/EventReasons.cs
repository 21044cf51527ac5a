// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Kubernetes.Api.Events;

/// <summary>Why there is an Event. What people filter by, so none of them is ever renamed.</summary>
public static class EventReasons
{
    /// <summary>kube-proxy's word: the health check port of a Service cannot be listened at.</summary>
    public const string FailedToStartServiceHealthcheck = "FailedToStartServiceHealthcheck";

    /// <summary>Two Services claim a frontend. A warning on the one that does not get it, normal on the one that has it.</summary>
    public const string FrontendConflict = "FrontendConflict";

    /// <summary>A map is full, or a write to it failed: the Service is not served, or as it was before.</summary>
    public const string NotProgrammed = "NotProgrammed";

    /// <summary>A load balancer address or external IP of the Service would take traffic that is meant for others.</summary>
    public const string AddressRefused = "AddressRefused";

    /// <summary>Values of the Service, or of its slices, are wrong and left out.</summary>
    public const string InvalidObject = "InvalidObject";

    /// <summary>What was being done, which the API demands beside the reason.</summary>
    internal static string ActionOf(string reason) => reason == FailedToStartServiceHealthcheck ? "Listen" : "Program";
}
