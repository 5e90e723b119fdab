using System.Numerics;
using System.Runtime.CompilerServices;
using SapaGpu.Kernels.Contracts;

namespace SapaGpu.Kernels.Simd;

/// <summary>
/// Deformable attention on the CPU, forward, a tile being one group of one image: like
/// <see cref="DeformableAttentionProgram{TSimd, TStorage, TReal, TVector}"/>, to the last bit, but the cells of the
/// group are staged, which takes as many groups as there is work for.
/// </summary>
/// <typeparam name="TSimd">The vector arithmetic of the maps.</typeparam>
/// <typeparam name="TStorage">The type of the maps.</typeparam>
/// <typeparam name="TReal">The type of the arithmetic.</typeparam>
/// <typeparam name="TVector">A vector of <typeparamref name="TReal"/>.</typeparam>
/// <typeparam name="TStagedSimd">The vector arithmetic of what is staged.</typeparam>
internal readonly unsafe struct DeformableAttentionGroupProgram<TSimd, TStorage, TReal, TVector, TStagedSimd>
    : ITileProgram<DeformableAttentionParameters<TStorage>>
    where TSimd : struct, ISimd<TStorage, TReal, TVector>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
    where TVector : struct
    where TStagedSimd : struct, ISimd<TReal, TReal, TVector>
{
    public static long TileCount(in DeformableAttentionParameters<TStorage> parameters) =>
        (long)parameters.Batch * parameters.Groups;

    public static double Operations(in DeformableAttentionParameters<TStorage> parameters) =>
        DeformableAttentionSteps<TSimd, TStorage, TReal, TVector>.Operations(in parameters);

    public static long ScratchBytes(in DeformableAttentionParameters<TStorage> parameters)
    {
        var scratch = new ScratchAllocator(null);
        _ = new Workspace(ref scratch, in parameters);
        return scratch.Used;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Execute(in DeformableAttentionParameters<TStorage> parameters, long tile, byte* scratch)
    {
        var allocator = new ScratchAllocator(scratch);
        var workspace = new Workspace(ref allocator, in parameters);
        (int image, int group) = ((int)(tile / parameters.Groups), (int)(tile % parameters.Groups));
        workspace.Staged.Stage(in parameters, image, group);
        var output = new MapPointer<TStorage>(in parameters.Output, group * parameters.ValueChannels);
        bool streams = PixelRows<TSimd, TStorage, TReal, TVector>.Streams(
            in output, parameters.Extent().Pixels * parameters.Groups * parameters.ValueChannels);
        long runs = DeformableGroup<TSimd, TStorage, TReal, TVector, TStagedSimd>.Runs(in parameters);
        for (long run = 0; run < runs; run++)
        {
            var span = DeformableGroup<TSimd, TStorage, TReal, TVector, TStagedSimd>.Run(in parameters, image, run);
            var next = default(PrefetchQueue);
            if (run + 1 < runs)
            {
                var following = DeformableGroup<TSimd, TStorage, TReal, TVector, TStagedSimd>.Run(
                    in parameters, image, run + 1);
                DeformableGroup<TSimd, TStorage, TReal, TVector, TStagedSimd>.PrefetchNextRow(
                    in parameters, in following, group, ref next);
                next.Plan(span.Count);
            }
            Attend(in parameters, in span, group, in workspace, ref next);
            PixelRows<TSimd, TStorage, TReal, TVector>.Store(
                workspace.Output, workspace.OutputStride, in output, in span, parameters.ValueChannels, streams);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Attend(
        in DeformableAttentionParameters<TStorage> parameters,
        in PixelSpan span,
        int group,
        in Workspace workspace,
        ref PrefetchQueue next)
    {
        var staged = workspace.Staged;
        staged.ComputeWeights(in parameters, in span, group);
        staged.Table.Weigh(staged.Weights);
        new Span<TReal>(workspace.Output, span.Count * workspace.OutputStride).Clear();
        TReal* sums = workspace.Output;
        for (int query = 0; query < span.Count; query++, sums += workspace.OutputStride)
        {
            DeformableSteps<TStagedSimd, TReal, TReal, TVector>.AddCells(
                staged.Table.First + query,
                staged.Table.BilinearWeights + query,
                staged.Table.CellsPerQuery,
                sums,
                parameters.ValueChannels);
            next.Step();
        }
    }

    private readonly struct Workspace
    {
        public readonly DeformableGroup<TSimd, TStorage, TReal, TVector, TStagedSimd> Staged;
        public readonly TReal* Output;
        public readonly int OutputStride;

        public Workspace(ref ScratchAllocator scratch, in DeformableAttentionParameters<TStorage> parameters)
        {
            Staged = new(ref scratch, in parameters);
            OutputStride = PixelRows<TSimd, TStorage, TReal, TVector>.Stride(parameters.ValueChannels);
            Output = scratch.Take<TReal>(
                DeformableGroup<TSimd, TStorage, TReal, TVector, TStagedSimd>.Length * (long)OutputStride);
        }
    }
}
