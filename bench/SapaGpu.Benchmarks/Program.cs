using BenchmarkDotNet.Running;
using SapaGpu.Benchmarks;

if (args is [MatrixMultiplication.Argument, var size])
{
    MatrixMultiplication.Run(int.Parse(size, System.Globalization.CultureInfo.InvariantCulture));
    return 0;
}

// "ratio [limit]" compares with a matrix multiplication in one run and fails above the limit; everything else is
// BenchmarkDotNet's.
if (args is ["ratio", ..])
{
    double limit = args.Length > 1
        ? double.Parse(args[1], System.Globalization.CultureInfo.InvariantCulture)
        : double.PositiveInfinity;
    double worst = MatrixRatio.Run();
    if (worst <= limit)
        return 0;
    Console.Error.WriteLine($"The forward takes {worst:f2} times as long as a matrix multiplication; the limit is {limit:f2}.");
    return 1;
}
BenchmarkSwitcher.FromAssembly(typeof(WindowAttentionBenchmarks).Assembly).Run(args);
return 0;
