// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Kubernetes.Translation;
using Microsoft.Extensions.Logging;

namespace EbpfLb.Kubernetes.Manifests.Source;

/// <summary>The files of the directory as last read, and the objects they give. Touched by one task at a time.</summary>
internal sealed class ManifestCollection(string path, ManifestLimits limits, ILogger logger)
{
    // Parsing allocates many times what it keeps: more workers would mostly buy a larger heap.
    private const int MaxWorkers = 4;

    private readonly FileReader _reader = new(path, limits);
    private readonly ObjectOwners _owners = new();
    private readonly Dictionary<string, ManifestFile> _files = new(StringComparer.Ordinal);

    // Files with problems.
    private readonly SortedDictionary<string, ManifestFile> _troubled = new(StringComparer.Ordinal);

    // Bad when the source started and ever since: nobody knows what they hold.
    private readonly HashSet<string> _unknown = new(StringComparer.Ordinal);

    // What a settled rescan saw and left for the next one.
    private Dictionary<string, FileLook> _unsettled = new(StringComparer.Ordinal);

    // Object counts of the contests that have been logged, by owner and other file.
    private Dictionary<(string Owner, string Other), int> _toldContests = [];
    private IReadOnlyList<ManifestProblem> _contestProblems = [];
    private string? _lost;

    public ObjectOwners Owners => _owners;

    public int FileCount => _files.Count;

    public int BadFileCount => _files.Values.Count(file => file.IsBad);

    /// <summary>False while there is a file of which no version has been good since the start.</summary>
    public bool IsComplete => _unknown.Count == 0;

    /// <exception cref="ManifestDirectoryException">The directory cannot be listed.</exception>
    public void LoadAll(ChangeBatch batch, CancellationToken stopping)
    {
        string[] names = DirectoryListing.ReadOrThrow(path);
        var readings = new FileReading[names.Length];
        var options = new ParallelOptions
        {
            MaxDegreeOfParallelism = Math.Min(Environment.ProcessorCount, MaxWorkers),
            CancellationToken = stopping,
        };
        Parallel.For(0, names.Length, options, () => new FileReader(path, limits), (i, _, reader) =>
        {
            readings[i] = reader.Read(names[i], known: null);
            return reader;
        }, _ => { });

        for (int i = 0; i < names.Length; i++)
        {
            Adopt(names[i], readings[i], batch);
            if (_files.TryGetValue(names[i], out var file) && file.IsBad)
                _unknown.Add(file.Name);
        }

        UpdateContests(batch);
    }

    /// <summary>Reads files again that changed, came or went.</summary>
    public void Reread(IEnumerable<string> names, ChangeBatch batch)
    {
        bool anyGone = false;
        foreach (string name in names)
        {
            var reading = Read(name);
            bool isKnown = _files.ContainsKey(name);
            if (reading.IsMissing)
                anyGone |= isKnown;
            else if (isKnown || reading.Look.State != FileState.Unreadable)
                Adopt(name, reading, batch);

            // A new file that is empty, a new link without its target: its writer has only begun. A rescan tells if it stays so.
        }

        // A file is gone only when the directory can be listed without it: a directory that vanished takes nothing with it.
        if (anyGone)
            Rescan(RescanMode.Replaced, batch);
        else
            UpdateContests(batch);
    }

    /// <returns>False when a file looks different and was left, because it must settle first.</returns>
    public bool Rescan(RescanMode mode, ChangeBatch batch)
    {
        if (TryList(batch) is not { } names)
            return true;

        var unsettled = new Dictionary<string, FileLook>(StringComparer.Ordinal);
        foreach (string name in names)
        {
            var look = _reader.Look(name);
            var file = _files.GetValueOrDefault(name);
            if (look.State == FileState.Missing || look == file?.Look)
                continue;

            if (mode == RescanMode.Now || (mode == RescanMode.Replaced && look.Created != file?.Look.Created)
                || (mode == RescanMode.Settled && _unsettled.TryGetValue(name, out var before) && before == look))
                Adopt(name, Read(name), batch);
            else
                unsettled[name] = look;
        }

        if (mode == RescanMode.Settled)
            _unsettled = unsettled;

        foreach (string name in _files.Keys.Except(names).ToArray())
            Forget(name, batch);
        UpdateContests(batch);
        return mode != RescanMode.Settled || unsettled.Count == 0;
    }

    public IReadOnlyList<ManifestProblem> ToProblems()
    {
        IEnumerable<ManifestProblem> directory = _lost is null ? [] :
            [new ManifestProblem(Severity.Invalid, PrintableText.Escape(path), 0, "", "", $"the directory cannot be listed: {_lost}")];
        return
        [
            .. directory,
            .. _troubled.Values.SelectMany(file => file.Problems).Concat(_contestProblems)
                .OrderBy(problem => problem.File, StringComparer.Ordinal),
        ];
    }

    private static string More(int count) => count switch
    {
        <= 0 => "",
        1 => " (and 1 more problem in this file)",
        _ => $" (and {count} more problems in this file)",
    };

    private FileReading Read(string name) => _reader.Read(name, _files.GetValueOrDefault(name)?.Version);

    private string[]? TryList(ChangeBatch batch)
    {
        try
        {
            string[] names = DirectoryListing.Read(path);
            if (_lost is not null)
            {
                _lost = null;
                batch.ProblemsChanged = true;
                logger.DirectoryBack(PrintableText.Escape(path));
            }

            return names;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            if (_lost is null)
            {
                _lost = PrintableText.Escape(error.Message);
                batch.ProblemsChanged = true;
                logger.DirectoryLost(PrintableText.Escape(path), _lost);
            }

            return null;
        }
    }

    private void Adopt(string name, FileReading reading, ChangeBatch batch)
    {
        if (reading.IsMissing)
            return;

        if (!_files.TryGetValue(name, out var file))
            _files[name] = file = new ManifestFile(name);
        file.Look = reading.Look;
        if (reading.Manifest is not { } manifest)
            return;

        bool wasBad = file.IsBad;
        batch.ProblemsChanged |= file.Problems.Count + manifest.Problems.Count > 0;
        file.Version = reading.Version;
        file.Problems = manifest.Problems;
        file.IsBad = !manifest.IsValid;
        if (file.Problems.Count > 0)
            _troubled[name] = file;
        else
            _troubled.Remove(name);

        if (file.IsBad)
        {
            logger.FileRefused(file.Problems[0], More(manifest.InvalidCount - 1), file.HasGoodVersion
                ? $"The last good version stays in force, with {file.Objects.Count} objects"
                : "Nothing of the file is served");
            return;
        }

        file.HasGoodVersion = true;
        _unknown.Remove(name);
        _owners.Replace(file, manifest.Objects, batch);
        if (manifest.IgnoredCount > 0)
            logger.FilePartlyIgnored(file.Problems[0], More(manifest.IgnoredCount - 1));
        if (wasBad)
            logger.FileRecovered(PrintableText.Escape(name), file.Objects.Count);
        else
            logger.FileTaken(PrintableText.Escape(name), file.Objects.Count);
    }

    private void Forget(string name, ChangeBatch batch)
    {
        var file = _files[name];
        logger.FileDeleted(PrintableText.Escape(name), file.Objects.Count);
        _owners.Replace(file, [], batch);
        _files.Remove(name);
        _unknown.Remove(name);
        batch.ProblemsChanged |= _troubled.Remove(name);
    }

    private void UpdateContests(ChangeBatch batch)
    {
        if (!batch.ContestsChanged)
            return;

        batch.ContestsChanged = false;
        batch.ProblemsChanged = true;
        var problems = new List<ManifestProblem>();
        var told = new Dictionary<(string Owner, string Other), int>();
        foreach (var group in _owners.Contests().GroupBy(contest => (contest.Owner, contest.Other)))
        {
            var first = group.MinBy(contest => contest.Key);
            int count = group.Count();
            string more = count switch
            {
                1 => "",
                2 => " and 1 other object",
                _ => $" and {count - 1} other objects",
            };
            string owner = PrintableText.Escape(group.Key.Owner);
            string other = PrintableText.Escape(group.Key.Other);
            problems.Add(new ManifestProblem(Severity.Ignored, other, first.Line, first.Key.ToString(), "",
                $"{owner} has this object{more} too, comes first by name and is served"));
            told[group.Key] = count;
            if (count > _toldContests.GetValueOrDefault(group.Key))
                logger.ObjectInTwoFiles(first.Key.ToString(), more, owner, other);
        }

        _toldContests = told;
        _contestProblems = problems;
    }
}
