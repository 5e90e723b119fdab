using System.Runtime.InteropServices;
using SapaGpu.Maps;

namespace SapaGpu.Native;

/// <summary>A module with the parameters of a checkpoint, whatever its kind and the type of its features.</summary>
internal abstract unsafe class LoadedModule(ComputeDevice device) : IDisposable
{
    /// <summary>Gets the device that holds the parameters.</summary>
    public ComputeDevice Device => device;

    /// <summary>Creates a module with the parameters of a file.</summary>
    /// <param name="device">The device that holds them.</param>
    /// <param name="elementType">The type of the features.</param>
    /// <param name="options">The options record of the module.</param>
    /// <param name="path">The path of the file, in UTF-8.</param>
    /// <param name="prefix">The prefix of the names, in UTF-8; null for none.</param>
    public static LoadedModule Load(ComputeDevice device, int elementType, object options, byte* path, byte* prefix)
    {
        NativeStruct.CheckNotNull(path, "path");
        var type = NativeTensor.TypeOf(elementType, "options");
        return type.Dispatch<Loading, LoadedModule>(new Loading(
            device, options, Marshal.PtrToStringUTF8((nint)path)!, Marshal.PtrToStringUTF8((nint)prefix) ?? string.Empty));
    }

    /// <summary>Upsamples on the device of the module or on a stream of it.</summary>
    public abstract void Forward(ComputeDevice on, NativeTensor* encoder, NativeTensor* decoder, NativeTensor* output);

    /// <summary>Computes the output again and from it the gradients that are not null.</summary>
    public abstract void Backward(
        ComputeDevice on,
        NativeTensor* encoder,
        NativeTensor* decoder,
        NativeTensor* gradOutput,
        NativeTensor* gradEncoder,
        NativeTensor* gradDecoder);

    public abstract void Dispose();

    private readonly struct Loading(ComputeDevice device, object options, string path, string prefix)
        : IElementVisitor<LoadedModule>
    {
        public LoadedModule Visit<T>()
            where T : unmanaged
        {
            var loaded = new LoadedModule<T>(device, options);
            try
            {
                loaded.Load(path, prefix);
                return loaded;
            }
            catch
            {
                loaded.Dispose();
                throw;
            }
        }
    }
}
