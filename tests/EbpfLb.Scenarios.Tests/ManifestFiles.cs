// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Globalization;
using EbpfLb.Kubernetes.Manifests;

namespace EbpfLb.Scenarios.Tests;

/// <summary>
/// The directory an agent reads. Beside the manifests it holds a mark: a file of a kind nobody serves, which the source therefore names
/// as a problem. A new mark follows each change, so a source that names it has read the change before it.
/// </summary>
internal sealed class ManifestFiles : IDisposable
{
    // Comes last in any order of names.
    private const string MarkFile = "zzz-mark.yaml";

    private readonly TemporaryDirectory _directory = new();
    private int _mark;

    public ManifestFiles() => Mark();

    /// <summary>The name of a file that changed, came or went.</summary>
    public event Action<string>? Changed;

    public string Path => _directory.Path;

    private string MarkKind => "Mark" + _mark.ToString(CultureInfo.InvariantCulture);

    public IReadOnlyList<string> Names =>
    [
        .. Directory.EnumerateFiles(Path).Select(path => System.IO.Path.GetFileName(path)!)
            .Where(name => name != MarkFile).Order(StringComparer.Ordinal),
    ];

    public bool IsRead(IEnumerable<ManifestProblem> problems) =>
        problems.Any(problem => IsMark(problem) && problem.Message.StartsWith($"'{MarkKind}' ", StringComparison.Ordinal));

    public static bool IsMark(ManifestProblem problem) => problem.File == MarkFile;

    public void Write(string name, string text)
    {
        // As an editor does it: whole, by a rename.
        string temporary = _directory.Combine("." + name);
        File.WriteAllText(temporary, text);
        File.Move(temporary, _directory.Combine(name), overwrite: true);
        Tell(name);
    }

    public void Rename(string from, string to)
    {
        File.Move(_directory.Combine(from), _directory.Combine(to), overwrite: true);
        Tell(from, to);
    }

    public void Delete(params IReadOnlyList<string> names)
    {
        foreach (string name in names)
        {
            Assert.True(File.Exists(_directory.Combine(name)), $"There is no {name} to delete.");
            File.Delete(_directory.Combine(name));
        }

        Tell([.. names]);
    }

    public void Dispose() => _directory.Dispose();

    private void Tell(params string[] names)
    {
        Mark();
        foreach (string name in (string[])[.. names, MarkFile])
            Changed?.Invoke(name);
    }

    private void Mark()
    {
        _mark++;
        File.WriteAllText(_directory.Combine(MarkFile), $"apiVersion: scenarios/v1\nkind: {MarkKind}\n");
    }
}
