using SapaGpu.Kernels.Contracts;

namespace SapaGpu.Kernels.Simt;

/// <summary>The positions, in a map of query resolution, of the four queries of a query pack.</summary>
internal struct QueryPackOffsets
{
    /// <summary>The first query.</summary>
    public long X;

    /// <summary>The second query.</summary>
    public long Y;

    /// <summary>The third query.</summary>
    public long Z;

    /// <summary>The fourth query.</summary>
    public long W;

    /// <summary>Moves all four positions on.</summary>
    public void Advance(long step)
    {
        X += step;
        Y += step;
        Z += step;
        W += step;
    }

    /// <summary>Finds the positions in a map; a query past the last repeats the last.</summary>
    public static QueryPackOffsets Locate<T>(in MapView<T> map, int image, in CellQueries queries, int pack)
        where T : unmanaged => new()
        {
            X = queries.Offset(in map, image, pack * 4),
            Y = queries.Offset(in map, image, pack * 4 + 1),
            Z = queries.Offset(in map, image, pack * 4 + 2),
            W = queries.Offset(in map, image, pack * 4 + 3),
        };
}
