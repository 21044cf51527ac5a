// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
// Tests write executables and run them: a process forked by another test in between would hold such a file open for writing (ETXTBSY).
[assembly: CollectionBehavior(DisableTestParallelization = true)]
