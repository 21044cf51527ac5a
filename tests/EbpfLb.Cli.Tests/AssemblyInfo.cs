// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0

// Tests set environment variables, and find the holder of a lock in a table of the whole machine.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
