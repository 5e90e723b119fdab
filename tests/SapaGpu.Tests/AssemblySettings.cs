using NUnit.Framework;
using SapaGpu.Tests.Grids;

// Most of the time goes into compiling kernels, one at a time for each device, so more fixtures run at once than there
// may be cores; those that count memory or need the processor for themselves say so.
[assembly: Parallelizable(ParallelScope.Fixtures)]
[assembly: LevelOfParallelism(4)]
[assembly: FixtureTimes]
