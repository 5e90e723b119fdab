using System.Numerics;
using ILGPU;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Numerics;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>
/// Where some samples lie, in shared memory: found once, used for all channels of a group. A thread finds one sample.
/// </summary>
internal struct DeformableTable<TReal>
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
{
    /// <summary>The samples of a table, and the threads of a group that uses it.</summary>
    public const int Length = 128;

    /// <summary>The place of the upper left cell in the map, of the first channel of the group.</summary>
    public ArrayView<long> Cells;

    /// <summary>The fractions across (X) and down (Y).</summary>
    public ArrayView<Pack2<TReal>> Fractions;

    /// <summary>Which of the four cells are inside the map, a bit for each; 0 for a sample that does not contribute.</summary>
    public ArrayView<int> Corners;

    /// <summary>Allocates.</summary>
    public static DeformableTable<TReal> Allocate() => new()
    {
        Cells = SharedMemory.Allocate<long>(Length),
        Fractions = SharedMemory.Allocate<Pack2<TReal>>(Length),
        Corners = SharedMemory.Allocate<int>(Length),
    };

    /// <summary>Finds a sample.</summary>
    public readonly void Find<TElement, TStorage>(
        in DeformableSamplingParameters<TStorage> parameters, int index, int image, int group, int point, int row, int column)
        where TElement : struct, IElement<TStorage, TReal>
        where TStorage : unmanaged
    {
        var sample = SamplePoint<TReal>.Locate<TElement, TStorage>(
            in parameters.Offsets,
            in parameters.Rows,
            in parameters.Columns,
            image,
            group * parameters.Points + point,
            row,
            column);
        int corners = 0;
        if (sample.Contributes)
        {
            int upper = sample.Row >= 0 ? 3 : 0;
            int lower = sample.Row + 1 < parameters.Rows.Cells ? 12 : 0;
            int left = sample.Column >= 0 ? 5 : 0;
            int right = sample.Column + 1 < parameters.Columns.Cells ? 10 : 0;
            corners = (upper | lower) & (left | right);
        }
        Corners[index] = corners;
        Cells[index] = parameters.Map.Offset(image, group * parameters.GroupChannels, sample.Row, sample.Column);
        Fractions[index] = new Pack2<TReal> { X = sample.Across, Y = sample.Down };
    }

    /// <summary>Says that there is no sample.</summary>
    public readonly void Leave(int index) => Corners[index] = 0;

    /// <summary>Four channels of the cells around a sample; those outside the map are 0.</summary>
    public static Around Load<TElement, TStorage, TAccess>(
        in MapView<TStorage> map, long place, int corners, int remaining)
        where TElement : struct, IElement<TStorage, TReal>
        where TStorage : unmanaged
        where TAccess : struct, IChannelAccess
    {
        var around = default(Around);
        if ((corners & 1) != 0)
            around.UpperLeft = TAccess.Load<TElement, TStorage, TReal>(in map, place, remaining);
        if ((corners & 2) != 0)
            around.UpperRight = TAccess.Load<TElement, TStorage, TReal>(in map, place + map.ColumnStride, remaining);
        if ((corners & 4) != 0)
            around.LowerLeft = TAccess.Load<TElement, TStorage, TReal>(in map, place + map.RowStride, remaining);
        if ((corners & 8) != 0)
        {
            around.LowerRight = TAccess.Load<TElement, TStorage, TReal>(
                in map, place + map.RowStride + map.ColumnStride, remaining);
        }
        return around;
    }

    /// <summary>Four channels of each of the four cells around a sample.</summary>
    internal struct Around
    {
        /// <summary>The cell of the sample.</summary>
        public Pack4<TReal> UpperLeft;

        /// <summary>The next cell of its row.</summary>
        public Pack4<TReal> UpperRight;

        /// <summary>The cell below.</summary>
        public Pack4<TReal> LowerLeft;

        /// <summary>The next cell of the row below.</summary>
        public Pack4<TReal> LowerRight;
    }
}
