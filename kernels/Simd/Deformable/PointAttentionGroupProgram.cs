using System.Numerics;
using System.Runtime.CompilerServices;
using SapaGpu.Kernels.Contracts;

namespace SapaGpu.Kernels.Simd;

/// <summary>
/// Attention over points on the CPU, forward, a tile being one group of one image: like
/// <see cref="PointAttentionProgram{TSimd, TStorage, T, TVector}"/>, to the last bit, but the cells of the group are staged,
/// which takes as many groups as there is work for.
/// </summary>
/// <typeparam name="TSimd">The vector arithmetic of the tensors.</typeparam>
/// <typeparam name="TStorage">The type of the tensors.</typeparam>
/// <typeparam name="T">The type of the arithmetic.</typeparam>
/// <typeparam name="TVector">A vector of <typeparamref name="T"/>.</typeparam>
/// <typeparam name="TStagedSimd">The vector arithmetic of what is staged.</typeparam>
public readonly unsafe struct PointAttentionGroupProgram<TSimd, TStorage, T, TVector, TStagedSimd>
    : ITileProgram<PointAttentionParameters<TStorage>>
    where TSimd : struct, ISimd<TStorage, T, TVector>
    where TStorage : unmanaged
    where T : unmanaged, IFloatingPointIeee754<T>
    where TVector : struct
    where TStagedSimd : struct, ISimd<T, T, TVector>
{
    /// <inheritdoc/>
    public static long TileCount(in PointAttentionParameters<TStorage> parameters) =>
        (long)parameters.Batch * parameters.Groups;

    /// <inheritdoc/>
    public static double Operations(in PointAttentionParameters<TStorage> parameters) =>
        PointAttentionSteps<TSimd, TStorage, T, TVector>.Operations(in parameters);

    /// <inheritdoc/>
    public static long ScratchBytes(in PointAttentionParameters<TStorage> parameters)
    {
        var scratch = new ScratchAllocator(null);
        _ = new Workspace(ref scratch, in parameters);
        return scratch.Used;
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Execute(in PointAttentionParameters<TStorage> parameters, long tile, byte* scratch)
    {
        var allocator = new ScratchAllocator(scratch);
        var workspace = new Workspace(ref allocator, in parameters);
        (int image, int group) = ((int)(tile / parameters.Groups), (int)(tile % parameters.Groups));
        workspace.Staged.Stage(in parameters, image, group);
        var output = new MapPointer<TStorage>(in parameters.Output, group * parameters.ValueChannels);
        bool streams = PixelRows<TSimd, TStorage, T, TVector>.Streams(
            in output, parameters.Extent().Pixels * parameters.Groups * parameters.ValueChannels);
        long runs = PointGroup<TSimd, TStorage, T, TVector, TStagedSimd>.Runs(in parameters);
        for (long run = 0; run < runs; run++)
        {
            var span = PointGroup<TSimd, TStorage, T, TVector, TStagedSimd>.Run(in parameters, image, run);
            var next = default(PrefetchQueue);
            if (run + 1 < runs)
            {
                var following = PointGroup<TSimd, TStorage, T, TVector, TStagedSimd>.Run(in parameters, image, run + 1);
                PointGroup<TSimd, TStorage, T, TVector, TStagedSimd>.Foresee(in parameters, in following, group, ref next);
                next.Plan(span.Count);
            }
            Attend(in parameters, in span, group, in workspace, ref next);
            PixelRows<TSimd, TStorage, T, TVector>.Store(
                workspace.Output, workspace.OutputStride, in output, in span, parameters.ValueChannels, streams);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Attend(
        in PointAttentionParameters<TStorage> parameters,
        in PixelSpan span,
        int group,
        in Workspace workspace,
        ref PrefetchQueue next)
    {
        var staged = workspace.Staged;
        staged.ComputeWeights(in parameters, in span, group);
        staged.Table.Weigh(staged.Weights);
        new Span<T>(workspace.Output, span.Count * workspace.OutputStride).Clear();
        T* sums = workspace.Output;
        for (int query = 0; query < span.Count; query++, sums += workspace.OutputStride)
        {
            PointSteps<TStagedSimd, T, T, TVector>.AddCells(
                staged.Table.First + query,
                staged.Table.Shares + query,
                staged.Table.CellsPerQuery,
                sums,
                parameters.ValueChannels);
            next.Step();
        }
    }

    private readonly struct Workspace
    {
        public readonly PointGroup<TSimd, TStorage, T, TVector, TStagedSimd> Staged;
        public readonly T* Output;
        public readonly int OutputStride;

        public Workspace(ref ScratchAllocator scratch, in PointAttentionParameters<TStorage> parameters)
        {
            Staged = new(ref scratch, in parameters);
            OutputStride = PixelRows<TSimd, TStorage, T, TVector>.Stride(parameters.ValueChannels);
            Output = scratch.Take<T>(PointGroup<TSimd, TStorage, T, TVector, TStagedSimd>.Length * (long)OutputStride);
        }
    }
}
