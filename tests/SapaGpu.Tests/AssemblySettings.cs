using NUnit.Framework;

// Most of the time goes into compiling kernels, one at a time for each device; fixtures that count memory or need the
// processor for themselves say so.
[assembly: Parallelizable(ParallelScope.Fixtures)]
[assembly: LevelOfParallelism(2)]
