// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Kubernetes.Translation;
using Microsoft.Extensions.Logging;

namespace EbpfLb.Kubernetes.Manifests.Source;

/// <summary>The files of the directory as last read, and the objects they give. Touched by one task at a time.</summary>
internal sealed class ManifestCollection(string path, ManifestDirectoryOptions options, TimeProvider time, ILogger logger)
{
    // So many settling times a file that went is waited for to turn up under another name.
    private const int ReappearanceFactor = 10;

    // Parsing allocates many times what it keeps: more workers would mostly buy a larger heap.
    private const int MaxWorkers = 4;

    private readonly FileReader _reader = new(path, options.Limits);
    private readonly ObjectOwners _owners = new();
    private readonly Dictionary<string, ManifestFile> _files = new(StringComparer.Ordinal);

    // Files with problems.
    private readonly SortedDictionary<string, ManifestFile> _troubled = new(StringComparer.Ordinal);

    // Bad when the source started and ever since: nobody knows what they hold.
    private readonly HashSet<string> _unknown = new(StringComparer.Ordinal);

    // What the last rescan saw and left, and since when each has looked like that.
    private Dictionary<string, (FileLook Look, long Since)> _unsettled = new(StringComparer.Ordinal);

    // What the last rescan missed and did not forget yet, and since when. Empty unless something is unsettled.
    private Dictionary<string, long> _missing = new(StringComparer.Ordinal);

    private bool _contestsChanged;

    // Object counts of the contests that have been logged, by owner and other file.
    private Dictionary<(string Owner, string Other), int> _toldContests = [];
    private IReadOnlyList<ManifestProblem> _contestProblems = [];
    private string? _lost;

    public ObjectOwners Owners => _owners;

    public int FileCount => _files.Count;

    public int BadFileCount => _files.Values.Count(file => file.IsBad);

    /// <summary>False while there is a file of which no version has been good since the start.</summary>
    public bool IsComplete => _unknown.Count == 0;

    /// <summary>When the next rescan will find a file settled, if none changes meanwhile. Null when there is none to settle.</summary>
    public TimeSpan? UntilSettled
    {
        get
        {
            if (_unsettled.Count == 0)
                return null;

            var left = options.SettleTime - time.GetElapsedTime(_unsettled.Values.Min(file => file.Since));
            return left > TimeSpan.Zero ? left : TimeSpan.Zero;
        }
    }

    /// <exception cref="ManifestDirectoryException">The directory cannot be listed.</exception>
    public void LoadAll(ChangeBatch batch, CancellationToken stopping)
    {
        string[] names = DirectoryListing.ReadOrThrow(path);
        var readings = new FileReading[names.Length];
        var parallel = new ParallelOptions
        {
            MaxDegreeOfParallelism = Math.Min(Environment.ProcessorCount, MaxWorkers),
            CancellationToken = stopping,
        };
        Parallel.For(0, names.Length, parallel, () => new FileReader(path, options.Limits), (i, _, reader) =>
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

        // A file is gone only when the directory can be listed without it: a directory that vanished takes nothing with it. What it
        // held may have gone to another one in the same rename, and one batch must see both. A file that was missed before may be
        // what has just been read.
        if (anyGone || _missing.Count > 0)
            Rescan(RescanMode.Told, batch);
        else
            UpdateContests(batch);
    }

    /// <summary>Looks at every file, and reads those that look different as far as the mode allows or they have settled.</summary>
    public void Rescan(RescanMode mode, ChangeBatch batch)
    {
        if (TryList(batch) is not { } names)
        {
            _unsettled.Clear();
            _missing.Clear();
            return;
        }

        long now = time.GetTimestamp();
        string[] missing = [.. _files.Keys.Except(names)];
        var missingLooks = missing.Select(name => _files[name].Look).Where(look => look.State == FileState.Readable).ToHashSet();
        var unsettled = new Dictionary<string, (FileLook Look, long Since)>(StringComparer.Ordinal);
        foreach (string name in names)
        {
            var look = _reader.Look(name);
            var known = _files.GetValueOrDefault(name)?.Look ?? default;
            if (look.State == FileState.Missing || look == known)
                continue;

            long since = _unsettled.TryGetValue(name, out var before) && before.Look == look ? before.Since : now;
            bool isExchangedLink = look is { IsLink: true, State: FileState.Readable } && look.Created != known.Created;

            // A file that looks exactly like one that went is that file under another name, and complete.
            if ((mode == RescanMode.Told && isExchangedLink) || missingLooks.Contains(look)
                || time.GetElapsedTime(since, now) >= options.SettleTime)
                Adopt(name, Read(name), batch);
            else
                unsettled[name] = (look, since);
        }

        _unsettled = unsettled;
        ForgetMissing(missing, now, batch);
        UpdateContests(batch);
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
        _unsettled.Remove(name);
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

    /// <summary>
    /// While a file is unsettled, it may be what became of one that went, and one batch must see both. Not for ever: somebody may write
    /// to a file without end.
    /// </summary>
    private void ForgetMissing(string[] names, long now, ChangeBatch batch)
    {
        var missing = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (string name in names)
        {
            long since = _missing.GetValueOrDefault(name, now);
            if (_unsettled.Count == 0 || time.GetElapsedTime(since, now) >= ReappearanceFactor * options.SettleTime)
                Forget(name, batch);
            else
                missing[name] = since;
        }

        _missing = missing;
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
        _contestsChanged |= batch.ContestsChanged;
        batch.ContestsChanged = false;

        // An object that moves is in a missing file and in its next one for a while, which is nobody's mistake.
        if (!_contestsChanged || _missing.Count > 0)
            return;

        _contestsChanged = false;
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
