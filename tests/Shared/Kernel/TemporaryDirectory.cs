// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.TestSupport;

internal sealed class TemporaryDirectory : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("ebpflb-linux-").FullName;

    public string Combine(string name) => System.IO.Path.Combine(Path, name);

    public string WriteExecutable(string name, string script)
    {
        string path = Combine(name);
        File.WriteAllText(path, script.ReplaceLineEndings("\n"));
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return path;
    }

    public void Dispose()
    {
        if (Directory.Exists(Path))
            Directory.Delete(Path, recursive: true);
    }
}
