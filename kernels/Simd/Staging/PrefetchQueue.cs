using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;
using SapaGpu.Kernels.Contracts;

namespace SapaGpu.Kernels.Simd;

/// <summary>
/// What the next row of a tile will read, asked for a few lines at a time while the current row is computed: all at
/// once would fill the buffers that the computation needs for its own misses.
/// </summary>
internal unsafe struct PrefetchQueue
{
    private const int LineBytes = 64;
    private const int MostLines = 64;
    private const int MostPieces = 1 << 14;

    private Series first;
    private Series second;
    private Series third;
    private Series fourth;

    private int perStep;

    private readonly int Pieces => first.Pieces + second.Pieces + third.Pieces + fourth.Pieces;

    /// <summary>Adds the queries of a row of a tile, of the first rows of queries in a cell.</summary>
    public void AddQueries<T>(
        in MapPointer<T> map,
        in Strip cells,
        int row,
        in WindowExtent extent,
        int channels,
        int mostRows = 2,
        int firstChannel = 0)
        where T : unmanaged
    {
        int first = extent.Columns.First(cells.Column);
        int queries = extent.Columns.First(cells.Column + cells.Columns) - first;
        for (int i = 0; i < Math.Min(mostRows, extent.Rows.Count(row)); i++)
            Add(in map, cells.Image, extent.Rows.First(row) + i, first, queries, channels, firstChannel);
    }

    /// <summary>Adds the last row of the windows of a row of a tile, if it lies in the map.</summary>
    public void AddWindowRow<T>(in MapPointer<T> map, in Strip cells, int row, in WindowExtent extent, int channels)
        where T : unmanaged
    {
        int last = row + extent.Radius;
        int columns = Math.Min(extent.Width - cells.Column, cells.Columns + extent.Radius);
        if (last < extent.Height)
            Add(in map, cells.Image, last, cells.Column, columns, channels);
    }

    /// <summary>Adds some channels of a run of pixels.</summary>
    public void AddPixels<T>(in MapPointer<T> map, in PixelSpan span, int firstChannel, int channels)
        where T : unmanaged
    {
        if (!Sse.IsSupported || span.Count <= 0)
            return;
        int length = (map.IsChannelsLast ? channels : span.Count) * sizeof(T);
        Push(new Series
        {
            Next = (byte*)map.At(span.Image, firstChannel, span.Row, span.Column),
            Step = (map.IsChannelsLast ? map.ColumnStride : map.ChannelStride) * sizeof(T),
            Pieces = map.IsChannelsLast ? span.Count : channels,
            Lines = (length + LineBytes - 1) / LineBytes,
        });
    }

    /// <summary>Spreads what is to be asked for over so many steps.</summary>
    public void Plan(int steps) => perStep = Pieces / Math.Max(1, steps) + 1;

    /// <summary>Asks for the share of one step.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Step()
    {
        if (first.Pieces == 0)
        {
            if (Pieces == 0)
                return;
            first = second;
            second = third;
            third = fourth;
            fourth = default;
        }
        int count = Math.Min(perStep, first.Pieces);
        byte* next = first.Next;
        for (int i = 0; i < count; i++)
        {
            for (int line = 0; line < first.Lines; line++)
                Sse.Prefetch1(next + line * LineBytes);
            next += first.Step;
        }
        first.Next = next;
        first.Pieces -= count;
    }

    // A run of positions in a row of a map; up to four are kept.
    private void Add<T>(
        in MapPointer<T> map, int image, int row, int column, int columns, int channels, int firstChannel = 0)
        where T : unmanaged
    {
        if (!Sse.IsSupported || columns <= 0)
            return;
        var start = (byte*)map.At(image, firstChannel, row, column);
        if (!map.IsChannelsLast)
        {
            long length = (columns - 1) * (long)map.ColumnStride * sizeof(T) + sizeof(T);
            Push(new Series
            {
                Next = start,
                Step = map.ChannelStride * sizeof(T),
                Pieces = channels,
                Lines = (int)Math.Min(length / LineBytes + 2, MostLines),
            });
            return;
        }
        long bytes = ((columns - 1) * (long)map.ColumnStride + channels) * sizeof(T);
        Push(new Series
        {
            Next = start,
            Step = LineBytes,
            Pieces = (int)Math.Min(bytes / LineBytes + 1, MostPieces),
            Lines = 1,
        });
    }

    private void Push(in Series series)
    {
        if (first.Pieces == 0)
            first = series;
        else if (second.Pieces == 0)
            second = series;
        else if (third.Pieces == 0)
            third = series;
        else if (fourth.Pieces == 0)
            fourth = series;
    }

    private struct Series
    {
        public byte* Next;
        public nint Step;
        public int Pieces;
        public int Lines;
    }
}
