// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Linux.Bpf;

public enum BpfUpdateFlags
{
    /// <summary>Insert or replace.</summary>
    Any = 0,

    /// <summary>Insert; EEXIST when the key is there.</summary>
    NoExist = 1,

    /// <summary>Replace; ENOENT when the key is not there.</summary>
    Exist = 2,
}
