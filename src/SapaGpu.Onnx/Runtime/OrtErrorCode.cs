namespace SapaGpu.Onnx.Runtime;

/// <summary>Codes of ONNX Runtime's statuses.</summary>
internal enum OrtErrorCode
{
    Fail = 1,
    InvalidArgument = 2,
}
