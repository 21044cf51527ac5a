// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Maps;
using EbpfLb.Linux;
using EbpfLb.Linux.Bpf;
using EbpfLb.Live.Tests.Support;
using Xunit.Abstractions;

namespace EbpfLb.Live.Tests;

/// <summary>What starts and ends leave behind: nothing that was not there after the first.</summary>
public sealed class RestartLeakTests(ITestOutputHelper output)
{
    [PrivilegedFact]
    public async Task S134_any_number_of_fast_restarts_leaves_as_much_as_the_first()
    {
        await using var node = await OuterNode.CreateAsync();
        var service = node.NewService();
        await service.PublishAsync(node.P11.Ready, node.P21.Ready);
        var first = Count(node.Agent);
        int rounds = Scale.Of("EBPFLB_SOAK_RESTARTS", 4);
        var random = new Random(134);
        for (int round = 0; round < rounds; round++)
        {
            if (round % 3 == 2)
                node.Agent.PretendOtherBuild();
            // Every other one is killed before it is done.
            bool isCutShort = round % 2 == 0;
            await node.Agent.KillAsync();
            await node.Agent.StartAsync(until: isCutShort ? " follows " : "First sync:");
            if (isCutShort)
            {
                await Task.Delay(random.Next(400));
                await node.Agent.KillAsync();
                await node.Agent.StartAsync();
            }
        }

        await Eventually.True(() => Count(node.Agent) == first, $"as much as at first, {first}, not {Count(node.Agent)}");
        output.WriteLine($"{rounds} rounds: {first}");
        (await node.Outside.TcpAsync(service.AtNodePort(), count: 20)).AssertAnsweredBy("p11", "p21");
    }

    // Of programs and links all that use our maps, pinned or not. Maps are used by programs, or pinned.
    private static Installed Count(LiveAgent agent)
    {
        var maps = new HashSet<uint>();
        foreach (string name in MapNames.All)
        {
            using var map = BpfMap.OpenPinned(Path.Combine(agent.Pins, name));
            maps.Add(map.Info.Id);
        }

        var programs = new HashSet<uint>();
        foreach (uint id in BpfObjects.ProgramIds())
        {
            try
            {
                using var program = BpfProgram.FromId(id);
                if (!program.Info.MapIds.Any(maps.Contains))
                    continue;

                programs.Add(id);
                maps.UnionWith(program.Info.MapIds);
            }
            catch (LinuxException exception) when (exception.Errno == Errno.ENOENT)
            {
                // Another test's, gone meanwhile.
            }
        }

        int links = 0;
        foreach (uint id in BpfObjects.LinkIds())
        {
            try
            {
                using var link = BpfLink.FromId(id);
                links += programs.Contains(link.Info.ProgramId) ? 1 : 0;
            }
            catch (LinuxException exception) when (exception.Errno == Errno.ENOENT)
            {
                // As above.
            }
        }

        return new Installed(
            maps.Count, programs.Count, links, Directory.GetFileSystemEntries(agent.Pins, "*", SearchOption.AllDirectories).Length,
            Directory.GetFileSystemEntries($"/proc/{agent.Pid}/fd").Count(IsBpf));
    }

    // Sockets and files come and go with what the agent listens to.
    private static bool IsBpf(string descriptor)
    {
        try
        {
            return File.ResolveLinkTarget(descriptor, returnFinalTarget: false)?.Name.Contains("bpf", StringComparison.Ordinal) == true;
        }
        catch (IOException)
        {
            // Closed meanwhile.
            return false;
        }
    }

    private sealed record Installed(int Maps, int Programs, int Links, int Pins, int Descriptors);
}
