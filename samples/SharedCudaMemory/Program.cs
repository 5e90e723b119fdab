// Memory of CUDA that another framework allocated: the operator reads and writes it in place, in the framework's context and on
// its stream. The framework is the CUDA driver itself here, called as any library of CUDA calls it.
//
//     dotnet run -c Release --project samples/SharedCudaMemory
using SapaGpu;
using SapaGpu.Samples.SharedCudaMemory;

if (ComputeDevice.WhyUnavailable(DeviceKind.Cuda) is { } reason)
{
    Console.WriteLine($"This sample needs CUDA. {reason}");
    return 0;
}

var query = new MapShape(1, 16, 32, 32);
var map = new MapShape(1, 16, 8, 8);
float[] queries = Draw(query, 1), maps = Draw(map, 2);

// What the framework has: its context, a stream, and memory with the operands.
using var framework = new CudaMemory();
nint queryMemory = framework.Allocate(queries), mapMemory = framework.Allocate(maps);
nint outputMemory = framework.Allocate(new float[query.ElementCount]);

using (var device = ComputeDevice.Open(
    DeviceKind.Cuda, 0, new DeviceOptions { UsesPrimaryContext = true, Stream = framework.Stream }))
{
    // No copy: maps over the memory of the framework. The call is queued on its stream, as its own kernels are.
    using var wrappedQuery = FeatureMap<float>.Wrap(device, queryMemory, query);
    using var wrappedMap = FeatureMap<float>.Wrap(device, mapMemory, map);
    using var wrappedOutput = FeatureMap<float>.Wrap(device, outputMemory, query);
    WindowAttention.Forward(wrappedQuery, wrappedMap, wrappedMap, wrappedOutput);
}
float[] output = framework.Read(outputMemory, queries.Length);

// The same on the processor.
using var cpu = ComputeDevice.Open(DeviceKind.Cpu);
using var cpuQuery = FeatureMap<float>.From(cpu, query, queries);
using var cpuMap = FeatureMap<float>.From(cpu, map, maps);
using var expected = WindowAttention.Forward(cpuQuery, cpuMap, cpuMap);
float error = expected.ToArray().Zip(output, (a, b) => Math.Abs(a - b)).Max();
Console.WriteLine($"{query} by the memory of another framework; off the processor's result by {error:g2}");
return error < 1e-4 ? 0 : 1;

static float[] Draw(MapShape shape, int seed)
{
    var random = new Random(seed);
    return [.. Enumerable.Range(0, (int)shape.ElementCount).Select(_ => (float)random.NextDouble())];
}
