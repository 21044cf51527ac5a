// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Loading;
using EbpfLb.Linux;
using EbpfLb.Linux.Bpf;
using EbpfLb.Linux.Netlink;
using Microsoft.Extensions.Logging;

namespace EbpfLb.Datapath.Devices;

/// <summary>Pinned links: of XDP, and of the tcx hooks.</summary>
internal sealed class LinkHold(string directory, XdpMode mode, ILogger logger) : IDeviceHold
{
    /// <exception cref="IOException">Something else has the place of the pins.</exception>
    public void Prepare() => Directory.CreateDirectory(directory);

    public IEnumerable<DevicePin> Pins()
    {
        foreach (string file in Directory.Exists(directory) ? Directory.GetFiles(directory) : [])
        {
            if (DevicePin.TryParse(Path.GetFileName(file), out var pin))
                yield return pin;
        }
    }

    public bool IsInPlace(DevicePin pin, NetworkLink device)
    {
        try
        {
            using var link = BpfLink.OpenPinned(PathOf(pin));
            return IsInPlace(pin, link.Info, device, isFresh: false);
        }
        catch (LinuxException)
        {
            return false;
        }
    }

    public bool IsHeld(DevicePin pin)
    {
        try
        {
            if (!BpfLink.TryOpenPinned(PathOf(pin), out var link))
                return false;

            using (link)
                return link.Info.InterfaceIndex == pin.InterfaceIndex;
        }
        catch (LinuxException)
        {
            return false;
        }
    }

    public HoldState Adopt(DevicePin pin, BpfProgram program, NetworkLink device, bool isFresh)
    {
        try
        {
            using var link = BpfLink.OpenPinned(PathOf(pin));
            var info = link.Info;
            if (!IsInPlace(pin, info, device, isFresh))
            {
                Cleanup.Detach(link);
                File.Delete(PathOf(pin));
                // In another mode than is wanted, it is not lost.
                return info.InterfaceIndex == 0 ? HoldState.Lost : HoldState.Absent;
            }

            if (info.ProgramId == program.Info.Id)
                return HoldState.Kept;

            link.Update(program);
            return HoldState.Updated;
        }
        catch (Exception exception) when (exception is LinuxException or IOException or UnauthorizedAccessException)
        {
            // Detached while it was looked at, or something else is pinned there: a link of our own takes its place.
            TryRemove(pin);
            return HoldState.Lost;
        }
    }

    public void Create(DevicePin pin, BpfProgram program)
    {
        using var link = pin.Hook == DeviceHook.Xdp
            ? BpfLink.AttachXdp(program, pin.InterfaceIndex, mode)
            : BpfLink.AttachTcx(program, pin.InterfaceIndex, egress: pin.Hook == DeviceHook.TcxEgress);
        link.Pin(PathOf(pin));
    }

    public bool TryRemove(DevicePin pin)
    {
        string path = PathOf(pin);
        try
        {
            if (BpfLink.TryOpenPinned(path, out var link))
            {
                using (link)
                    Cleanup.Detach(link);
            }
        }
        catch (LinuxException)
        {
            // No link but somebody else's, or one that does not detach: without its pin a link goes by itself.
        }

        try
        {
            File.Delete(path);
            return true;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            logger.LinkNotRemoved(path, exception.Message);
            return false;
        }
    }

    private string PathOf(DevicePin pin) => Path.Combine(directory, pin.FileName);

    // The index alone is not enough: the pins may be of a time when the agent ran in another network namespace.
    private bool IsInPlace(DevicePin pin, BpfLinkInfo info, NetworkLink device, bool isFresh)
    {
        if (info.InterfaceIndex != pin.InterfaceIndex)
            return false;

        if (pin.Hook != DeviceHook.Xdp)
            return BpfTcx.QueryPrograms(pin.InterfaceIndex, pin.Hook == DeviceHook.TcxEgress).Contains(info.ProgramId);

        return !isFresh || (device.XdpProgramId == info.ProgramId && device.XdpMode == mode);
    }
}
