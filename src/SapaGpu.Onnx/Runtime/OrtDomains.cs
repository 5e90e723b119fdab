using SapaGpu.Onnx.Graph;

namespace SapaGpu.Onnx.Runtime;

/// <summary>
/// The domain com.sapagpu in every library of ONNX Runtime in the process. Domains live as long as the process, so that they outlive
/// all sessions.
/// </summary>
internal static unsafe class OrtDomains
{
    private static readonly Lock Gate = new();

    // By the table of the library.
    private static readonly Dictionary<nint, nint> Domains = [];

    /// <summary>Registers the operators for sessions with these options.</summary>
    /// <param name="sessionOptions">An OrtSessionOptions*.</param>
    /// <param name="apiBase">The OrtApiBase* of the library that made them.</param>
    /// <exception cref="NotSupportedException">The library is older than the table.</exception>
    public static void AddTo(nint sessionOptions, nint* apiBase)
    {
        var api = OrtApi.Open(apiBase);
        api.AddDomain(sessionOptions, Find(api));
    }

    private static nint Find(OrtApi api)
    {
        lock (Gate)
        {
            if (!Domains.TryGetValue((nint)api.Table, out nint domain))
                Domains.Add((nint)api.Table, domain = Create(api));
            return domain;
        }
    }

    private static nint Create(OrtApi api)
    {
        nint domain = api.CreateDomain(OperatorDomain.Name);
        foreach (var provider in (ExecutionProvider[])[ExecutionProvider.Cpu, ExecutionProvider.Cuda])
        {
            foreach (var type in (TensorType[])[TensorType.Float32, TensorType.Float16])
            {
                Add(WindowOperators.Attention, inputCount: 3, type, provider);
                Add(WindowOperators.Reassembly, inputCount: 2, type, provider);
                Add(DeformableOperators.Attention, inputCount: 4, type, provider);
                Add(CrossOperators.Attention, inputCount: 3, type, provider);
            }
        }
        return domain;

        void Add(string name, int inputCount, TensorType type, ExecutionProvider provider) =>
            api.AddOperator(domain, OrtCustomOperator.Create(name, inputCount, type, provider));
    }
}
