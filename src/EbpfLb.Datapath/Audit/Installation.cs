// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Loading;
using EbpfLb.Datapath.Status;
using EbpfLb.Linux.Bpf;
using EbpfLb.Linux.Cgroups;

namespace EbpfLb.Datapath.Audit;

/// <summary>
/// The pins of a running agent, and its programs at socket hooks. It has a descriptor of every map, program and link, so that what somebody
/// removes is put back as it was: the same map with its entries, the same program. Called by one task at a time: by one always, within
/// <see cref="Loading.Datapath.Use"/>, and by the one that replaces maps, which then has them for itself.
/// </summary>
public sealed class Installation : IDisposable
{
    /// <summary>In place of a map's name: what holds a program on its hook.</summary>
    public const string Links = "links";

    /// <summary>In place of a map's name: files of the pin directory.</summary>
    public const string Pins = "pins";

    private readonly PinDirectory _pins;
    private readonly Func<IReadOnlyCollection<BpfMap>> _maps;
    private readonly string? _cgroup;
    private readonly SocketHookLinks _links;
    private string _programDirectory;
    private Dictionary<string, BpfProgram> _programs;
    private IReadOnlyList<Problem> _problems = [];

    /// <param name="maps">Those in use.</param>
    internal Installation(PinDirectory pins, Func<IReadOnlyCollection<BpfMap>> maps, string programDirectory, string? cgroup)
    {
        _pins = pins;
        _maps = maps;
        _programDirectory = programDirectory;
        _cgroup = cgroup;
        _programs = OpenPrograms(programDirectory);
        _links = new SocketHookLinks(pins);
    }

    /// <summary>Hooks that foreign programs keep from us. Any thread may read it.</summary>
    public IReadOnlyList<Problem> Problems => Volatile.Read(ref _problems);

    /// <summary>Puts back what is missing.</summary>
    /// <returns>What was.</returns>
    /// <exception cref="DatapathException">It cannot be.</exception>
    /// <exception cref="Linux.LinuxException">Nor for the kernel.</exception>
    public IReadOnlyList<Divergence> PutBack()
    {
        var found = new List<Divergence>();
        if (_pins.PutBack())
            found.Add(Missing("the directory"));
        foreach (var map in _maps())
            PutBack(map, found);
        Directory.CreateDirectory(_programDirectory);
        foreach (var (name, program) in _programs)
            PutBack(name, program, found);
        using var cgroup = BpfFileSystems.OpenCgroup(_cgroup);
        found.AddRange(Attach(cgroup, isStart: false).PutBack);
        return found;
    }

    public void Dispose()
    {
        _links.Dispose();
        Close(_programs);
    }

    /// <exception cref="DatapathException">One that nothing works without is not there.</exception>
    internal static Dictionary<string, BpfProgram> OpenPrograms(string directory)
    {
        var programs = new Dictionary<string, BpfProgram>();
        try
        {
            foreach (var (name, isOptional) in EmbeddedObject.All.SelectMany(one => one.Programs.Select(name => (name, one.IsOptional))))
            {
                string pin = Path.Combine(directory, name);
                if (BpfProgram.TryOpenPinned(pin, out var program))
                    programs.Add(name, program);
                // One of an object that this kernel did not take is not there.
                else if (!isOptional)
                    throw new DatapathException($"{pin} is gone although it was loaded just now. Somebody removed it; the next try loads it again.");
            }

            return programs;
        }
        catch
        {
            Close(programs);
            throw;
        }
    }

    /// <summary>The programs of another directory are in place now.</summary>
    /// <param name="programs">Which it closes.</param>
    internal void Use(string programDirectory, Dictionary<string, BpfProgram> programs)
    {
        Close(_programs);
        _programDirectory = programDirectory;
        _programs = programs;
    }

    internal SocketHookLinks.Result Attach(CgroupDirectory cgroup, bool isStart = true)
    {
        var result = _links.Attach(cgroup, _programs);
        if (isStart)
            _links.RemoveUnknown();
        Volatile.Write(ref _problems, [.. result.Refused.Select(refusal => new Problem(
            cgroup.Path, refusal + " Until then sockets of its family are not balanced, but packets are, those of pods with --pod-devices."))]);
        return result;
    }

    private static void Close(Dictionary<string, BpfProgram> programs)
    {
        foreach (var program in programs.Values)
            program.Dispose();
    }

    private static Divergence Missing(string pin) => new(Pins, DivergenceKind.Missing, pin, "");

    private void PutBack(BpfMap map, List<Divergence> found)
    {
        string name = map.Info.Name, path = _pins.Map(name);
        if (BpfMap.TryOpenPinned(path, out var pinned))
        {
            using (pinned)
            {
                if (pinned.Info.Id == map.Info.Id)
                    return;
            }

            // Our programs do not use that one.
            File.Delete(path);
        }

        map.Pin(path);
        found.Add(Missing(name));
    }

    private void PutBack(string name, BpfProgram program, List<Divergence> found)
    {
        string path = Path.Combine(_programDirectory, name);
        if (BpfProgram.TryOpenPinned(path, out var pinned))
        {
            using (pinned)
            {
                if (pinned.Info.Id == program.Info.Id)
                    return;
            }

            File.Delete(path);
        }

        program.Pin(path);
        found.Add(Missing($"programs/{Path.GetFileName(_programDirectory)}/{name}"));
    }
}
