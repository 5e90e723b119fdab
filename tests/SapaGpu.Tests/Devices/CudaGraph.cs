using System.Runtime.InteropServices;
using ILGPU.Runtime.Cuda;

namespace SapaGpu.Tests.Devices;

/// <summary>Calls that a stream recorded, which can be run again without making them.</summary>
internal sealed partial class CudaGraph : IDisposable
{
    // Nothing that any thread does may break the recording: a call that is not allowed while one goes on fails.
    private const int GlobalMode = 0;
    private const string Library = "libcuda.so.1";

    private readonly nint graph;
    private readonly nint executable;

    /// <summary>Records what an action queues on a stream.</summary>
    public CudaGraph(nint stream, Action action)
    {
        Check(BeginCapture(stream, GlobalMode));
        action();
        Check(EndCapture(stream, out graph));
        Check(Instantiate(out executable, graph, 0));
    }

    /// <summary>Queues everything once more.</summary>
    public void Launch(nint stream) => Check(Launch(executable, stream));

    public void Dispose()
    {
        Check(DestroyExecutable(executable));
        Check(DestroyGraph(graph));
    }

    private static void Check(CudaError error) => CudaException.ThrowIfFailed(error);

    [LibraryImport(Library, EntryPoint = "cuStreamBeginCapture_v2")]
    private static partial CudaError BeginCapture(nint stream, int mode);

    [LibraryImport(Library, EntryPoint = "cuStreamEndCapture")]
    private static partial CudaError EndCapture(nint stream, out nint graph);

    [LibraryImport(Library, EntryPoint = "cuGraphInstantiateWithFlags")]
    private static partial CudaError Instantiate(out nint executable, nint graph, ulong flags);

    [LibraryImport(Library, EntryPoint = "cuGraphLaunch")]
    private static partial CudaError Launch(nint executable, nint stream);

    [LibraryImport(Library, EntryPoint = "cuGraphExecDestroy")]
    private static partial CudaError DestroyExecutable(nint executable);

    [LibraryImport(Library, EntryPoint = "cuGraphDestroy")]
    private static partial CudaError DestroyGraph(nint graph);
}
