// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Live.Tests.Support;

/// <summary>The directory an agent follows.</summary>
internal sealed class ManifestFiles
{
    public ManifestFiles(string path)
    {
        Path = path;
        Directory.CreateDirectory(path);
    }

    public string Path { get; }

    public string this[string name] => System.IO.Path.Combine(Path, name);

    /// <summary>By a rename, so that nobody sees half of it.</summary>
    public void Write(string name, string text)
    {
        string hidden = this[$".{name}.new"];
        File.WriteAllText(hidden, text);
        File.Move(hidden, this[name], overwrite: true);
    }

    public void Delete(string name) => File.Delete(this[name]);
}
