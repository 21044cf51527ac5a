// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0

// One set of maps serves all tests, each of which fills it anew.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
