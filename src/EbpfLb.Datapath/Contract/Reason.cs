// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Datapath.Contract;

/// <summary><c>enum lb_hook</c>: where a reason was counted.</summary>
public enum Hook : uint
{
    Xdp = 0,
    TcIngress = 1,
    TcEgress = 2,
    TcPod = 3,
}

/// <summary><c>enum lb_reason</c>: the fate of a packet that no flow decides. <c>bpf/types.h</c> says what each means.</summary>
public enum Reason : uint
{
    NewFlow = 0,
    PickedUp = 1,
    Rebuilt = 2,
    IcmpTranslated = 3,
    HandedDown = 4,
    RefusedNoEndpoint = 5,
    RefusedNoPort = 6,
    TtlExceeded = 7,
    TooBig = 8,
    ReplyLimit = 9,
    NoLocalEndpoint = 10,
    SourceRange = 11,
    ClusterIP = 12,
    Unallocated = 13,
    OtherProtocol = 14,
    Malformed = 15,
    Martian = 16,
    Loop = 17,
    FragmentTiny = 18,
    FragmentUnknown = 19,
    NoFlow = 20,
    NoSnatPort = 21,
    NoRoute = 22,
    NotForUs = 23,
    MapFull = 24,
    TooManyHeaders = 25,
    Failed = 26,
    BackendGone = 27,
}
