using SapaGpu.Onnx.Graph;
using SapaGpu.Onnx.Modules;

namespace SapaGpu.Onnx;

/// <summary>
/// A module as an ONNX file (opset 17) for maps of any batch and size. The attention is one node of the domain com.sapagpu, and a function of the same name in the file has it in standard operators: the file runs anywhere, and in SapaGpu's kernels
/// where <see cref="OnnxRuntimeExtensions.AddSapaGpu"/> registered them.
/// </summary>
public sealed class OnnxModel
{
    private readonly byte[] file;

    private OnnxModel(byte[] file) => this.file = file;

    /// <summary>Exports a SAPA upsampler: inputs "encoder" and "decoder", output "output".</summary>
    /// <typeparam name="T">The element type of the file's maps: float or <see cref="Half"/>.</typeparam>
    /// <param name="module">The module, whose parameters are copied.</param>
    /// <param name="options">The options; null for those of the default.</param>
    /// <exception cref="NotSupportedException">The element type is double or <see cref="BFloat16"/>.</exception>
    /// <exception cref="ObjectDisposedException">The module was disposed.</exception>
    public static OnnxModel Export<T>(SapaUpsampler<T> module, OnnxExportOptions? options = null)
        where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(module);
        return new OnnxModel(SapaGraph.Create(module, options ?? new OnnxExportOptions()));
    }

    /// <summary>
    /// Exports a SAPA-D upsampler: inputs "encoder" and "decoder", output "output". The ratio is that of the module, or any one
    /// where the output points of a cell share its offsets.
    /// </summary>
    /// <typeparam name="T">The element type of the file's maps: float or <see cref="Half"/>.</typeparam>
    /// <param name="module">The module, whose parameters are copied.</param>
    /// <param name="options">The options; null for those of the default.</param>
    /// <exception cref="NotSupportedException">The element type is double or <see cref="BFloat16"/>.</exception>
    /// <exception cref="ObjectDisposedException">The module was disposed.</exception>
    public static OnnxModel Export<T>(SapaDeformableUpsampler<T> module, OnnxExportOptions? options = null)
        where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(module);
        return new OnnxModel(DeformableGraph.Create(module, options ?? new OnnxExportOptions()));
    }

    /// <summary>Exports a CARAFE upsampler: input "features", output "output". The ratio is that of the module.</summary>
    /// <typeparam name="T">The element type of the file's maps: float or <see cref="Half"/>.</typeparam>
    /// <param name="module">The module, whose parameters are copied.</param>
    /// <param name="options">The options; null for those of the default.</param>
    /// <exception cref="NotSupportedException">The element type is double or <see cref="BFloat16"/>.</exception>
    /// <exception cref="ObjectDisposedException">The module was disposed.</exception>
    public static OnnxModel Export<T>(CarafeUpsampler<T> module, OnnxExportOptions? options = null)
        where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(module);
        return new OnnxModel(CarafeGraph.Create(module, options ?? new OnnxExportOptions()));
    }

    /// <summary>
    /// Exports the operator alone: inputs "query" [B, D, OH, OW], "key" [B, D, H, W] and "value" [B, C, H, W], output "output".
    /// </summary>
    /// <param name="attention">Window, border, normalisation, heads.</param>
    /// <param name="elementType">The element type of the maps.</param>
    /// <param name="options">The options; null for those of the default.</param>
    /// <exception cref="ArgumentException">The number of heads is below 1.</exception>
    /// <exception cref="NotSupportedException">
    /// The window is not an odd number from 1 to 15, or the element type neither Float32 nor Float16.
    /// </exception>
    public static OnnxModel Export(
        WindowAttentionOptions attention, ElementType elementType = ElementType.Float32, OnnxExportOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(attention);
        return new OnnxModel(AttentionGraph.Create(attention, TensorTypes.Of(elementType), options ?? new OnnxExportOptions()));
    }

    /// <summary>
    /// Exports the operator alone: inputs "query" [B, G·D, OH, OW], "key" [B, G·D, H, W], "value" [B, G·C, H, W] and "offsets"
    /// [B, G·P·2, OH, OW], output "output". Sizes may have any ratio.
    /// </summary>
    /// <param name="attention">Groups and points.</param>
    /// <param name="elementType">The element type of the maps.</param>
    /// <param name="options">The options; null for those of the default.</param>
    /// <exception cref="ArgumentException">Groups or points are below 1.</exception>
    /// <exception cref="NotSupportedException">The element type is neither Float32 nor Float16.</exception>
    public static OnnxModel Export(
        DeformableAttentionOptions attention, ElementType elementType = ElementType.Float32, OnnxExportOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(attention);
        return new OnnxModel(AttentionGraph.Create(attention, TensorTypes.Of(elementType), options ?? new OnnxExportOptions()));
    }

    /// <summary>Returns the bytes of the file.</summary>
    public byte[] ToArray() => [.. file];

    /// <summary>Writes the file, which appears only when it is complete.</summary>
    /// <param name="path">The path of the file, which is overwritten.</param>
    /// <exception cref="IOException">The file cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">The file or its folder may not be written.</exception>
    public void Save(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        string complete = Path.GetFullPath(path);
        string temporary = Path.Combine(Path.GetDirectoryName(complete) ?? complete, $".{Path.GetRandomFileName()}.onnx");
        try
        {
            File.WriteAllBytes(temporary, file);
            File.Move(temporary, complete, overwrite: true);
        }
        finally
        {
            File.Delete(temporary);
        }
    }
}
