// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Maps;
using EbpfLb.Datapath.Sync;

namespace EbpfLb.Datapath.Tests;

public sealed class MapViewTests
{
    private bool _failing;

    [Fact]
    public void Deletion_that_failed_is_remembered_until_the_key_is_written_indeed()
    {
        var view = new MapView<uint, uint>(new InMemoryMap<uint, uint>("map", 8, () => _failing ? new MapWrite(MapError.Failed, "EINVAL") : null));
        view.Put(1, 10);
        _failing = true;
        Assert.False(view.Delete(1));
        Assert.False(view.Put(1, 11).Succeeded);
        Assert.Equal([1u], view.Undeleted);

        _failing = false;
        Assert.True(view.Put(1, 11).Succeeded);
        Assert.Empty(view.Undeleted);
    }
}
