namespace SapaGpu.Checkpoints;

/// <summary>Finds the tensors that a query means among the dictionaries of a checkpoint, and reads them.</summary>
/// <remarks>
/// Names are those in the main dictionary; or they begin with the keys that lead to a dictionary; or, where only one
/// dictionary answers to that, with some of these keys or none. A dictionary with all expected names comes first.
/// </remarks>
internal static class StateSelection
{
    /// <summary>Reads what a query means; an empty state_dict if nothing has such a name.</summary>
    /// <param name="sections">The dictionaries that have tensors.</param>
    /// <param name="main">The one whose names need no path; null if none is preferred.</param>
    /// <param name="query">What is wanted.</param>
    /// <exception cref="InvalidDataException">A name occurs twice, or a tensor is damaged.</exception>
    public static StateDict Select(IReadOnlyList<StateSection> sections, StateSection? main, StateQuery query)
    {
        Candidate[][] groups =
        [
            main is null ? [] : [new Candidate([(main, string.Empty)], query.Prefix)],
            [new Candidate([.. sections.Select(section => (section, section.Path))], query.Prefix)],
            [.. sections.SelectMany(section => section.ShorterPaths, (section, path) => new Candidate(
                [(section, path)], query.Prefix))],
        ];
        var chosen = query.Expected.Count > 0 ? First(groups, candidate => candidate.HasAll(query.Expected)) : null;
        chosen ??= First(groups, candidate => candidate.Items.Count > 0);
        var known = sections.Where(section => section != main)
            .SelectMany(section => section.Items, (section, item) => section.Path + item.Name);
        var state = new StateDict(
            query.Prefix, [.. (main?.Items ?? []).Select(item => item.Name), .. known], main?.Path ?? string.Empty);
        chosen?.ReadInto(state);
        return state;
    }

    private static Candidate? First(Candidate[][] groups, Func<Candidate, bool> fits) => groups
        .Select(group => group.Where(fits).Take(2).ToArray())
        .FirstOrDefault(group => group.Length == 1)?[0];

    // The names in some sections, each behind a path, that begin with a prefix.
    private sealed class Candidate
    {
        private readonly (StateSection Section, string Path)[] parts;
        private readonly string prefix;

        public Candidate((StateSection Section, string Path)[] parts, string prefix)
        {
            this.parts = parts;
            this.prefix = prefix;
            Items =
            [
                .. parts.SelectMany(part => part.Section.Items, (part, item) => (Name: Local(part.Path + item.Name), item))
                    .Where(pair => pair.Name.Length > 0),
            ];
        }

        public IReadOnlyList<(string Name, StateItem Item)> Items { get; }

        public bool HasAll(IReadOnlyCollection<string> names) =>
            Items.Count >= names.Count && Items.Select(pair => pair.Name).ToHashSet(StringComparer.Ordinal).IsSupersetOf(names);

        public void ReadInto(StateDict state)
        {
            foreach (var (name, item) in Items)
            {
                if (state.ContainsKey(name))
                    throw new InvalidDataException($"the name {ShownText.Quoted(prefix + name)} occurs twice");
                state.Add(item.Read(name));
            }
            foreach (var (section, path) in parts)
            {
                foreach (var (name, value) in section.Others)
                {
                    if (Local(path + name) is { Length: > 0 } local)
                        state.Unreadable.TryAdd(local, value);
                }
            }
        }

        // Empty where the name does not begin with the prefix.
        private string Local(string name) =>
            name.StartsWith(prefix, StringComparison.Ordinal) ? name[prefix.Length..] : string.Empty;
    }
}
