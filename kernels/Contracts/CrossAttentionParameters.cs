using ILGPU;

namespace SapaGpu.Kernels.Contracts;

/// <summary>
/// The contract of cross-resolution attention, forward, backward and twice backward. Score of a query and a cell:
/// scale·⟨q, k⟩ + bias; a query's weights are those of the normalisation over the cells that it sees. Maps that a pass does not
/// have are empty.
/// </summary>
internal struct CrossAttentionParameters<TStorage, TReal>
    where TStorage : unmanaged
    where TReal : unmanaged
{
    /// <summary>Shapes and heads.</summary>
    public CrossExtent Extent;

    /// <summary>The first image that a backward on the CPU takes, which goes through a batch in pieces.</summary>
    public int FirstImage;

    /// <summary>The images that it takes.</summary>
    public int ImageCount;

    /// <summary>What inner products are multiplied by.</summary>
    public TReal Scale;

    /// <summary>The ranges of cell rows of every output row, <see cref="AxisRange"/>.</summary>
    public ArrayView<int> Rows;

    /// <summary>The ranges of cell columns of every output column.</summary>
    public ArrayView<int> Columns;

    /// <summary>Where tiles of output rows start, and the end.</summary>
    public ArrayView<int> RowTiles;

    /// <summary>Where tiles of output columns start, and the end.</summary>
    public ArrayView<int> ColumnTiles;

    /// <summary>
    /// Bands of row tiles that sum the gradients of cells on their own, three numbers each: the first tile, the first row of
    /// cells, the row after the last.
    /// </summary>
    public ArrayView<int> Bands;

    /// <summary>The bands.</summary>
    public int BandCount;

    /// <summary>For every row of cells the output rows that see it, first and end.</summary>
    public ArrayView<int> RowQueries;

    /// <summary>For every column of cells the output columns that see it, first and end.</summary>
    public ArrayView<int> ColumnQueries;

    /// <summary>The most queries of a tile.</summary>
    public int TileQueries;

    /// <summary>The most cell rows that the queries of a tile see.</summary>
    public int TileCellRows;

    /// <summary>The most cell columns that the queries of a tile see.</summary>
    public int TileCellColumns;

    /// <summary>The most cell rows of a band.</summary>
    public int BandCellRows;

    /// <summary>Queries, [B, h·D, OH, OW].</summary>
    public MapView<TStorage> Query;

    /// <summary>Keys, [B, h·D, H, W].</summary>
    public MapView<TStorage> Key;

    /// <summary>Values, [B, C, H, W].</summary>
    public MapView<TStorage> Value;

    /// <summary>What is added to the scores of a cell, [B, 1, H, W].</summary>
    public MapView<TStorage> Bias;

    /// <summary>1 if there is a bias, else 0.</summary>
    public int HasBias;

    /// <summary>
    /// Of every head and query what is subtracted from the scores, for softmax the largest, and the sum of the unnormalised weights
    /// of what is left, [B, 2h, OH, OW]; 0 and 1 without a normalisation.
    /// </summary>
    public MapView<TReal> Statistics;

    /// <summary>
    /// 1 if the statistics are those of window attention, of every head and query the log-sum-exp of the scores,
    /// [B, h, OH, OW]; else 0.
    /// </summary>
    public int HasNormalisers;

    /// <summary>The gradient of the output, [B, C, OH, OW].</summary>
    public MapView<TStorage> GradOutput;

    /// <summary>The direction of the query, [B, h·D, OH, OW].</summary>
    public MapView<TStorage> QueryDirection;

    /// <summary>The direction of the key, [B, h·D, H, W].</summary>
    public MapView<TStorage> KeyDirection;

    /// <summary>The direction of the value, [B, C, H, W].</summary>
    public MapView<TStorage> ValueDirection;

    /// <summary>The direction of the bias, [B, 1, H, W].</summary>
    public MapView<TStorage> BiasDirection;

    /// <summary>1 if there are directions, else 0.</summary>
    public int HasDirections;

    /// <summary>1 if the bias has a direction, else 0.</summary>
    public int HasBiasDirection;

    /// <summary>The output, or the gradient of the gradient of the output, [B, C, OH, OW]; written.</summary>
    public MapView<TStorage> OutputResult;

    /// <summary>A gradient of the query, [B, h·D, OH, OW]; written.</summary>
    public MapView<TStorage> QueryResult;

    /// <summary>A gradient of the key, [B, h·D, H, W]; written.</summary>
    public MapView<TStorage> KeyResult;

    /// <summary>A gradient of the value, [B, C, H, W]; written.</summary>
    public MapView<TStorage> ValueResult;

    /// <summary>A gradient of the bias, [B, 1, H, W]; written.</summary>
    public MapView<TStorage> BiasResult;

    /// <summary>The sums of every image from the first one on, set of weights and band, [band row·W + column][key | value | bias].</summary>
    public ArrayView<TReal> Sums;

    /// <summary>Sums of every image, head and query over its cells that the second derivatives need, [B, 3h, OH, OW].</summary>
    public MapView<TReal> Means;

    /// <summary>Into how many parts thread groups divide the queries that see a tile of cells.</summary>
    public int Splits;

    /// <summary>The sums of every part of the queries, those of the first part first, [parts·B, ·, H, W].</summary>
    public MapView<TReal> Partial;
}
