using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using SapaGpu.Onnx.Runtime;

namespace SapaGpu.Onnx;

/// <summary>Operators of SapaGpu in ONNX Runtime.</summary>
public static unsafe class OnnxRuntimeExtensions
{
    private const string SessionOptionsName = "Microsoft.ML.OnnxRuntime.SessionOptions";
    private const string LibraryName = "onnxruntime";
    private const string EntryPoint = "OrtGetApiBase";

    private static readonly Lock Gate = new();

    // A session refuses a domain that its options have twice.
    private static readonly ConditionalWeakTable<SafeHandle, object> Registered = [];

    /// <summary>
    /// Registers WindowAttention, WindowReassembly, DeformableAttention and CrossAttention, of float and <see cref="Half"/>, for
    /// sessions with these options: nodes of the domain com.sapagpu then run in SapaGpu's kernels, on all processors, and not as
    /// the functions that <see cref="OnnxModel"/> writes. In a session with the CUDA provider they run on its GPU and on the stream
    /// that it gives each run. ONNX Runtime 1.17 or later is needed. A second call does nothing.
    /// </summary>
    /// <param name="sessionOptions">
    /// A SessionOptions of the package Microsoft.ML.OnnxRuntime, to which this package has no reference.
    /// </param>
    /// <exception cref="ArgumentException">The handle is none of SessionOptions.</exception>
    /// <exception cref="NotSupportedException">ONNX Runtime is older than 1.17.</exception>
    /// <exception cref="DllNotFoundException">The native library of ONNX Runtime was not found.</exception>
    /// <exception cref="ObjectDisposedException">The options were disposed.</exception>
    public static void AddSapaGpu(this SafeHandle sessionOptions)
    {
        ArgumentNullException.ThrowIfNull(sessionOptions);
        if (sessionOptions.GetType().FullName != SessionOptionsName)
        {
            throw new ArgumentException(
                $"Operators are registered in a {SessionOptionsName}; got a {sessionOptions.GetType().FullName}.",
                nameof(sessionOptions));
        }
        nint library = NativeLibrary.Load(LibraryName, sessionOptions.GetType().Assembly, null);
        var getApiBase = (delegate* unmanaged[Cdecl]<nint*>)NativeLibrary.GetExport(library, EntryPoint);
        bool isHeld = false;
        try
        {
            sessionOptions.DangerousAddRef(ref isHeld);
            lock (Gate)
            {
                if (Registered.TryGetValue(sessionOptions, out _))
                    return;
                OrtDomains.AddTo(sessionOptions.DangerousGetHandle(), getApiBase());
                Registered.Add(sessionOptions, new object());
            }
        }
        finally
        {
            if (isHeld)
                sessionOptions.DangerousRelease();
        }
    }
}
