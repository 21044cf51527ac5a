// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0

// Tests wait far more than they compute: two classes at once halve the time and disturb nobody, because each has a cluster of its own.
[assembly: CollectionBehavior(MaxParallelThreads = 2)]
