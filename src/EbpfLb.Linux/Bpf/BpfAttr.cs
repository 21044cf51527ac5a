// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Runtime.InteropServices;

namespace EbpfLb.Linux.Bpf;

/// <summary>
/// union bpf_attr, one struct per command. The kernel takes what is missing at the end as zero; what it writes back must be inside, so
/// structs it writes to are declared up to the last such field.
/// </summary>
internal static unsafe class BpfAttr
{
    public const int NameLength = 16;

    [StructLayout(LayoutKind.Explicit, Size = 72)]
    public struct MapCreate
    {
        [FieldOffset(0)] public uint MapType;
        [FieldOffset(4)] public uint KeySize;
        [FieldOffset(8)] public uint ValueSize;
        [FieldOffset(12)] public uint MaxEntries;
        [FieldOffset(16)] public uint MapFlags;
        [FieldOffset(28)] public fixed byte MapName[NameLength];
        [FieldOffset(48)] public uint BtfFd;
        [FieldOffset(52)] public uint BtfKeyTypeId;
        [FieldOffset(56)] public uint BtfValueTypeId;
    }

    [StructLayout(LayoutKind.Explicit, Size = 32)]
    public struct Element
    {
        [FieldOffset(0)] public uint MapFd;
        [FieldOffset(8)] public ulong Key;
        [FieldOffset(16)] public ulong Value;
        [FieldOffset(24)] public ulong Flags;
    }

    [StructLayout(LayoutKind.Explicit, Size = 56)]
    public struct Batch
    {
        [FieldOffset(0)] public ulong InBatch;
        [FieldOffset(8)] public ulong OutBatch;
        [FieldOffset(16)] public ulong Keys;
        [FieldOffset(24)] public ulong Values;
        [FieldOffset(32)] public uint Count;
        [FieldOffset(36)] public uint MapFd;
        [FieldOffset(40)] public ulong ElemFlags;
        [FieldOffset(48)] public ulong Flags;
    }

    [StructLayout(LayoutKind.Explicit, Size = 72)]
    public struct ProgLoad
    {
        [FieldOffset(0)] public uint ProgType;
        [FieldOffset(4)] public uint InsnCnt;
        [FieldOffset(8)] public ulong Insns;
        [FieldOffset(16)] public ulong License;
        [FieldOffset(24)] public uint LogLevel;
        [FieldOffset(28)] public uint LogSize;
        [FieldOffset(32)] public ulong LogBuf;
        [FieldOffset(44)] public uint ProgFlags;
        [FieldOffset(48)] public fixed byte ProgName[NameLength];
        [FieldOffset(68)] public uint ExpectedAttachType;
    }

    [StructLayout(LayoutKind.Explicit, Size = 16)]
    public struct Object
    {
        [FieldOffset(0)] public ulong PathName;
        [FieldOffset(8)] public uint BpfFd;
        [FieldOffset(12)] public uint FileFlags;
    }

    [StructLayout(LayoutKind.Explicit, Size = 80)]
    public struct TestRun
    {
        [FieldOffset(0)] public uint ProgFd;
        [FieldOffset(4)] public uint RetVal;
        [FieldOffset(8)] public uint DataSizeIn;
        [FieldOffset(12)] public uint DataSizeOut;
        [FieldOffset(16)] public ulong DataIn;
        [FieldOffset(24)] public ulong DataOut;
        [FieldOffset(32)] public uint Repeat;
        [FieldOffset(36)] public uint Duration;
        [FieldOffset(40)] public uint CtxSizeIn;
        [FieldOffset(44)] public uint CtxSizeOut;
        [FieldOffset(48)] public ulong CtxIn;
        [FieldOffset(56)] public ulong CtxOut;
        [FieldOffset(64)] public uint Flags;
        [FieldOffset(68)] public uint Cpu;
        [FieldOffset(72)] public uint BatchSize;
    }

    [StructLayout(LayoutKind.Explicit, Size = 12)]
    public struct Id
    {
        [FieldOffset(0)] public uint StartId;
        [FieldOffset(4)] public uint NextId;
        [FieldOffset(8)] public uint OpenFlags;
    }

    [StructLayout(LayoutKind.Explicit, Size = 16)]
    public struct Info
    {
        [FieldOffset(0)] public uint BpfFd;
        [FieldOffset(4)] public uint InfoLen;
        [FieldOffset(8)] public ulong InfoPointer;
    }

    /// <summary>The target of a tcx hook is the index of a device.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 64)]
    public struct Query
    {
        [FieldOffset(0)] public uint TargetFd;
        [FieldOffset(4)] public uint AttachType;
        [FieldOffset(8)] public uint QueryFlags;
        [FieldOffset(12)] public uint AttachFlags;
        [FieldOffset(16)] public ulong ProgIds;
        [FieldOffset(24)] public uint ProgCnt;
        [FieldOffset(32)] public ulong ProgAttachFlags;
        [FieldOffset(56)] public ulong Revision;
    }

    /// <summary>The target of an XDP or a tcx hook is the index of a device.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 16)]
    public struct LinkCreate
    {
        [FieldOffset(0)] public uint ProgFd;
        [FieldOffset(4)] public uint TargetFd;
        [FieldOffset(8)] public uint AttachType;
        [FieldOffset(12)] public uint Flags;
    }

    /// <summary>LINK_CREATE of an iterator. What it walks over is in a union bpf_iter_link_info, of a map a descriptor.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 32)]
    public struct LinkCreateIterator
    {
        [FieldOffset(0)] public uint ProgFd;
        [FieldOffset(8)] public uint AttachType;
        [FieldOffset(16)] public ulong IterInfo;
        [FieldOffset(24)] public uint IterInfoLen;
    }

    [StructLayout(LayoutKind.Explicit, Size = 8)]
    public struct IterCreate
    {
        [FieldOffset(0)] public uint LinkFd;
        [FieldOffset(4)] public uint Flags;
    }

    [StructLayout(LayoutKind.Explicit, Size = 16)]
    public struct LinkUpdate
    {
        [FieldOffset(0)] public uint LinkFd;
        [FieldOffset(4)] public uint NewProgFd;
        [FieldOffset(8)] public uint Flags;
        [FieldOffset(12)] public uint OldProgFd;
    }

    [StructLayout(LayoutKind.Explicit, Size = 4)]
    public struct LinkDetach
    {
        [FieldOffset(0)] public uint LinkFd;
    }

    /// <summary>struct bpf_map_info.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 88)]
    public struct MapInfo
    {
        [FieldOffset(0)] public uint Type;
        [FieldOffset(4)] public uint Id;
        [FieldOffset(8)] public uint KeySize;
        [FieldOffset(12)] public uint ValueSize;
        [FieldOffset(16)] public uint MaxEntries;
        [FieldOffset(20)] public uint MapFlags;
        [FieldOffset(24)] public fixed byte Name[NameLength];
        [FieldOffset(64)] public uint BtfId;
        [FieldOffset(68)] public uint BtfKeyTypeId;
        [FieldOffset(72)] public uint BtfValueTypeId;
    }

    /// <summary>struct bpf_prog_info.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 232)]
    public struct ProgInfo
    {
        [FieldOffset(0)] public uint Type;
        [FieldOffset(4)] public uint Id;
        [FieldOffset(8)] public fixed byte Tag[8];
        [FieldOffset(40)] public ulong LoadTime;
        [FieldOffset(52)] public uint NrMapIds;
        [FieldOffset(56)] public ulong MapIds;
        [FieldOffset(64)] public fixed byte Name[NameLength];
        [FieldOffset(84)] public uint GplCompatible;
        [FieldOffset(216)] public uint VerifiedInsns;
    }

    /// <summary>struct bpf_link_info; what follows the program is a union by type.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 64)]
    public struct LinkInfo
    {
        [FieldOffset(0)] public uint Type;
        [FieldOffset(4)] public uint Id;
        [FieldOffset(8)] public uint ProgId;
        [FieldOffset(16)] public ulong CgroupId;
        [FieldOffset(24)] public uint CgroupAttachType;
        [FieldOffset(16)] public uint Ifindex;
        [FieldOffset(20)] public uint TcxAttachType;
    }
}
