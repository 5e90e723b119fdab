using System.CommandLine;
using ILGPU;
using ILGPU.Algorithms;
using ILGPU.Algorithms.RadixSortOperations;
using ILGPU.Algorithms.ScanReduceOperations;
using ILGPU.Runtime;
using ILGPU.Runtime.Cuda;
using SapaGpu.Cli;

namespace SapaGpu.DeviceBenchmarks;

/// <summary>
/// <c>library-sort</c>: what ILGPU.Algorithms takes for the lists of the backward of deformable attention, for programs that count
/// what a device does: pairs of a cell and a sample, sorted by the cell, or a scan of as many lengths.
/// </summary>
internal static class LibrarySortCommand
{
    public static Command Create()
    {
        var pairs = new Option<int>("--pairs")
        {
            Description = "How many pairs; a sample has up to four.",
            DefaultValueFactory = _ => 4 * 4 * 9 * 48 * 48,
        };
        var cells = new Option<int>("--cells")
        {
            Description = "The cells of all groups.",
            DefaultValueFactory = _ => 4 * 24 * 24,
        };
        var scans = new Option<bool>("--scan") { Description = "Scan the lengths instead of sorting." };
        var command = new Command(
            "library-sort", "Sort pairs of cells and samples on a CUDA device by ILGPU.Algorithms, once; fails where a result is wrong.")
        {
            pairs, cells, scans,
        };
        command.SetAction(result =>
        {
            using var context = Context.Create(
                builder => builder.Optimize(OptimizationLevel.O2).EnableAlgorithms().Cuda());
            if (context.GetCudaDevices().Count == 0)
                throw new DeviceUnavailableException("There is no CUDA device.");
            using var accelerator = context.GetCudaDevice(0).CreateAccelerator(context);
            var random = new Random(1);
            int limit = result.GetValue(cells);
            int[] keys = [.. Enumerable.Range(0, result.GetValue(pairs)).Select(_ => random.Next(limit))];
            if (result.GetValue(scans))
                Scan(accelerator, keys);
            else
                Sort(accelerator, keys);
            return ExitCode.Success;
        });
        return command;
    }

    private static void Sort(Accelerator accelerator, int[] keys)
    {
        var sort = accelerator.CreateRadixSortPairs<int, Stride1D.Dense, int, Stride1D.Dense, CellOrder>();
        int[] samples = [.. Enumerable.Range(0, keys.Length)];
        using var keyBuffer = accelerator.Allocate1D(keys);
        using var sampleBuffer = accelerator.Allocate1D(samples);
        using var scratch = accelerator.Allocate1D<int>(
            accelerator.ComputeRadixSortPairsTempStorageSize<int, int, CellOrder>(keys.Length));
        scratch.MemSetToZero();
        sort(accelerator.DefaultStream, keyBuffer.View, sampleBuffer.View, scratch.View);
        Require(sampleBuffer.GetAsArray1D().SequenceEqual(samples.OrderBy(sample => keys[sample])));
        Console.WriteLine(FormattableString.Invariant($"{scratch.LengthInBytes} bytes of scratch memory"));
    }

    private static void Scan(Accelerator accelerator, int[] lengths)
    {
        var scan = accelerator.CreateScan<int, Stride1D.Dense, Stride1D.Dense, AddInt32>(ScanKind.Exclusive);
        using var lengthBuffer = accelerator.Allocate1D(lengths);
        using var starts = accelerator.Allocate1D<int>(lengths.Length);
        using var scratch = accelerator.Allocate1D<int>(accelerator.ComputeScanTempStorageSize<int>(lengths.Length));
        scratch.MemSetToZero();
        scan(accelerator.DefaultStream, lengthBuffer.View, starts.View, scratch.View);
        int sum = 0;
        Require(starts.GetAsArray1D().Zip(lengths).All(pair =>
        {
            bool isRight = pair.First == sum;
            sum = unchecked(sum + pair.Second);
            return isRight;
        }));
    }

    private static void Require(bool isRight)
    {
        if (!isRight)
            throw new InvalidDataException("The result is wrong.");
    }

    /// <summary>Sixteen bits, enough for the cells of W0.</summary>
    private readonly struct CellOrder : IRadixSortOperation<int>
    {
        public int NumBits => 16;

        public int DefaultValue => int.MaxValue;

        public int ExtractRadixBits(int value, int shift, int bitMask) => (value >> shift) & bitMask;
    }
}
