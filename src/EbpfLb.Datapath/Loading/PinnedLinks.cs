// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Devices;
using EbpfLb.Linux;
using EbpfLb.Linux.Bpf;
using Microsoft.Extensions.Logging.Abstractions;

namespace EbpfLb.Datapath.Loading;

/// <summary>The links that are in place, whatever they are on; and the filters, where there is no tcx.</summary>
internal sealed class PinnedLinks(PinDirectory pins)
{
    /// <summary>
    /// Updates each to the program of the same name, as close together as can be. Of a device those come first that turn replies back. One that is
    /// on nothing any more is left to who puts links in place.
    /// </summary>
    /// <param name="switched">Told after each.</param>
    public void Switch(string programDirectory, Action? switched = null)
    {
        SwitchFilters(programDirectory, switched);
        var opened = new List<(BpfLink Link, BpfProgram Program)>();
        try
        {
            foreach (var (pin, name) in Programs())
            {
                if (!BpfProgram.TryOpenPinned(Path.Combine(programDirectory, name), out var program))
                    continue;

                if (BpfLink.TryOpenPinned(pin, out var link))
                    opened.Add((link, program));
                else
                    program.Dispose();
            }

            foreach (var (link, program) in opened)
            {
                Update(link, program);
                switched?.Invoke();
            }
        }
        finally
        {
            foreach (var (link, program) in opened)
            {
                link.Dispose();
                program.Dispose();
            }
        }
    }

    // Of this network namespace, which is the agent's.
    private void SwitchFilters(string programDirectory, Action? switched)
    {
        var filters = new ClsactHold(pins.Filters, NullLogger.Instance);
        foreach (var pin in filters.Pins().OrderBy(pin => pin.InterfaceIndex).ThenBy(pin => pin.Hook).ToArray())
        {
            if (!BpfProgram.TryOpenPinned(Path.Combine(programDirectory, NameOf(pin.Hook)), out var program))
                continue;

            using (program)
                filters.Update(pin, program);
            switched?.Invoke();
        }
    }

    private IEnumerable<(string Pin, string Program)> Programs()
    {
        var files = Directory.Exists(pins.Links) ? Directory.GetFiles(pins.Links) : [];
        var devices = new List<DevicePin>();
        foreach (string file in files)
        {
            if (DevicePin.TryParse(Path.GetFileName(file), out var pin))
                devices.Add(pin);
        }

        return devices.OrderBy(pin => pin.InterfaceIndex).ThenBy(pin => pin.Hook)
            .Select(pin => (Path.Combine(pins.Links, pin.FileName), NameOf(pin.Hook)))
            .Concat(SocketHook.All.Select(hook => (Path.Combine(pins.Links, hook.Program), hook.Program)));
    }

    private static string NameOf(DeviceHook hook) => hook switch
    {
        DeviceHook.Xdp => ProgramNames.XdpIngress,
        DeviceHook.TcxIngress => ProgramNames.TcIngress,
        DeviceHook.TcxPod => ProgramNames.TcPod,
        _ => ProgramNames.TcEgress,
    };

    private static void Update(BpfLink link, BpfProgram program)
    {
        try
        {
            if (link.Info.ProgramId != program.Info.Id)
                link.Update(program);
        }
        catch (LinuxException exception) when (exception.Errno is Errno.ENOLINK or Errno.ENODEV or Errno.ENOENT)
        {
            // Detached, or its device or cgroup is gone.
        }
    }
}
