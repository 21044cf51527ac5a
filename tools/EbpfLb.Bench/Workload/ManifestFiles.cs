// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Globalization;
using System.Text;

namespace EbpfLb.Bench.Workload;

/// <summary>The cluster in files: one per service, or many services to a file.</summary>
internal sealed class ManifestFiles : IDisposable
{
    // A rename that replaces a file makes some file systems write it out first, which takes longer than all that is measured here.
    private const string Memory = "/dev/shm";

    private readonly Cluster _cluster;
    private readonly int _perFile;
    private readonly string _staging;
    private readonly StringBuilder _text = new();

    private ManifestFiles(Cluster cluster, int perFile)
    {
        _cluster = cluster;
        _perFile = perFile;
        string root = Path.Combine(System.IO.Directory.Exists(Memory) ? Memory : Path.GetTempPath(), $"ebpflb-bench-{Guid.NewGuid():n}");
        Directory = Path.Combine(root, "manifests");
        _staging = Path.Combine(root, "staging");
        System.IO.Directory.CreateDirectory(Directory);
        System.IO.Directory.CreateDirectory(_staging);
    }

    public string Directory { get; }

    public int FileCount => (_cluster.Services + _perFile - 1) / _perFile;

    public static ManifestFiles Write(Cluster cluster, int perFile)
    {
        var files = new ManifestFiles(cluster, perFile);
        for (int file = 0; file < files.FileCount; file++)
            files.Stage(file, -1, 0).MoveInto(files.Directory);
        return files;
    }

    /// <summary>A new version of the file that has this service, written but not yet in the directory.</summary>
    public StagedFile StageChange(int service, int generation) => Stage(service / _perFile, service, generation);

    /// <summary>One more file, such as a service that traffic is sent to.</summary>
    public void Add(string name, string content) => File.WriteAllText(Path.Combine(Directory, name), content);

    public void Dispose() => System.IO.Directory.Delete(Path.GetDirectoryName(Directory)!, recursive: true);

    private StagedFile Stage(int file, int changed, int generation)
    {
        _text.Clear();
        int end = Math.Min((file + 1) * _perFile, _cluster.Services);
        for (int service = file * _perFile; service < end; service++)
            _cluster.Write(_text, service, service == changed ? generation : 0);

        string name = string.Create(CultureInfo.InvariantCulture, $"file-{file:00000}.yaml");
        File.WriteAllText(Path.Combine(_staging, name), _text.ToString());
        return new StagedFile(Path.Combine(_staging, name));
    }
}
