// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Runtime.InteropServices;

namespace EbpfLb.Kubernetes.Manifests.Source;

/// <summary>
/// Which file has an object when several name it: the one whose name sorts first, by code unit. The next one takes over when it goes.
/// Touched by the source's own task only.
/// </summary>
internal sealed class ObjectOwners
{
    // Who has an object. Most objects stand in one file, so this is nearly all there is.
    private readonly Dictionary<ObjectKey, Claim> _owners = [];

    // Those that come after the owner, ordered by file name. Never an empty list.
    private readonly Dictionary<ObjectKey, List<Claim>> _waiting = [];

    public int Count => _owners.Count;

    /// <summary>Puts a file's next objects in place of those it has. Both are ordered by key.</summary>
    public void Replace(ManifestFile file, IReadOnlyList<ManifestObject> next, ChangeBatch batch)
    {
        var previous = file.Objects;
        file.Objects = next;
        int i = 0;
        int j = 0;
        while (i < previous.Count || j < next.Count)
        {
            int order = i == previous.Count ? 1 : j == next.Count ? -1 : previous[i].Key.CompareTo(next[j].Key);
            if (order < 0)
                Remove(file, previous[i++].Key, batch);
            else if (order > 0)
                Add(new Claim(file, next[j++]), batch);
            else
                Update(new Claim(file, next[j++]), previous[i++], batch);
        }
    }

    public ManifestObject? Find(ObjectKey key) => _owners.TryGetValue(key, out var owner) ? owner.Object : null;

    /// <summary>Every object that a file names in vain, with the file that has it.</summary>
    public IEnumerable<Contest> Contests() =>
        from waiting in _waiting
        from claim in waiting.Value
        select new Contest(waiting.Key, _owners[waiting.Key].File.Name, claim.File.Name, claim.Object.Line);

    private void Add(Claim claim, ChangeBatch batch)
    {
        var key = claim.Object.Key;
        ref var owner = ref CollectionsMarshal.GetValueRefOrAddDefault(_owners, key, out bool owned);
        if (!owned)
        {
            batch.Touch(key, null);
            owner = claim;
            return;
        }

        batch.ContestsChanged = true;
        if (claim.ComesBefore(owner))
        {
            batch.Touch(key, owner.Object);
            (owner, claim) = (claim, owner);
        }

        if (!_waiting.TryGetValue(key, out var waiting))
            _waiting[key] = waiting = [];
        int index = waiting.FindIndex(other => claim.ComesBefore(other));
        waiting.Insert(index < 0 ? waiting.Count : index, claim);
    }

    private void Update(Claim claim, ManifestObject previous, ChangeBatch batch)
    {
        var key = claim.Object.Key;
        if (_owners[key].File == claim.File)
        {
            batch.Touch(key, previous);
            _owners[key] = claim;
            return;
        }

        var waiting = _waiting[key];
        waiting[waiting.FindIndex(other => other.File == claim.File)] = claim;
        batch.ContestsChanged |= claim.Object.Line != previous.Line;
    }

    private void Remove(ManifestFile file, ObjectKey key, ChangeBatch batch)
    {
        var owner = _owners[key];
        if (!_waiting.TryGetValue(key, out var waiting))
        {
            batch.Touch(key, owner.Object);
            _owners.Remove(key);
            return;
        }

        batch.ContestsChanged = true;
        if (owner.File == file)
        {
            batch.Touch(key, owner.Object);
            _owners[key] = waiting[0];
            waiting.RemoveAt(0);
        }
        else
        {
            waiting.RemoveAll(claim => claim.File == file);
        }

        if (waiting.Count == 0)
            _waiting.Remove(key);
    }

    private readonly record struct Claim(ManifestFile File, ManifestObject Object)
    {
        public bool ComesBefore(Claim other) => string.CompareOrdinal(File.Name, other.File.Name) < 0;
    }
}
