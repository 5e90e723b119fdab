namespace SapaGpu.Onnx;

/// <summary>The domain of the operators.</summary>
internal static class OperatorDomain
{
    public const string Name = "com.sapagpu";
}
