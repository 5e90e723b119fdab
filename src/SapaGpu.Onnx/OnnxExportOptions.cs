namespace SapaGpu.Onnx;

/// <summary>Options of an export.</summary>
public sealed record OnnxExportOptions
{
    /// <summary>Gets between which sizes the file upsamples without SapaGpu.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not defined.</exception>
    public OnnxRatio Ratio
    {
        get;
        init => field = Enum.IsDefined(value)
            ? value
            : throw new ArgumentOutOfRangeException(nameof(value), value, "The ratio must be Any or Integer.");
    } = OnnxRatio.Any;

    /// <summary>
    /// Gets whether the file has SapaGpu's operators in standard operators, too; without them it runs only where
    /// <see cref="OnnxRuntimeExtensions.AddSapaGpu"/> registered them.
    /// </summary>
    public bool HasFunctions { get; init; } = true;
}
