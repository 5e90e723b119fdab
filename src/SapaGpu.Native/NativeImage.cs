using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace SapaGpu.Native;

/// <summary>sapa_image: an image in host memory of the caller.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct NativeImage
{
    public uint StructSize;
    public int SampleType;
    public nint Data;
    public int Height;
    public int Width;
    public int Channels;
    public int Reserved;

    /// <summary>Checks an image that has to be given.</summary>
    /// <exception cref="ArgumentException">It is null or no image; the message names it and says what is wrong.</exception>
    public static void Check(NativeImage* image, string name)
    {
        NativeStruct.CheckNotNull(image, name);
        NativeStruct.CheckSize(image, name);
        NativeStruct.CheckReserved(image->Reserved, name);
        NativeStruct.CheckNotNull((void*)image->Data, $"{name}.data");
        if (image->Height < 1 || image->Width < 1 || image->Channels < 1
            || (Int128)image->Height * image->Width * image->Channels > int.MaxValue)
        {
            throw new ArgumentException(
                $"'{name}' has height {image->Height}, width {image->Width} and channels {image->Channels}; each must be at " +
                "least 1, and the product less than 2^31.");
        }
        if (!Enum.IsDefined((NativeSamples)image->SampleType))
        {
            throw new ArgumentException(
                $"'{name}' has sample_type {image->SampleType}; choose SAPA_SAMPLES_U8, _U16, _I32 or _F32.");
        }
    }

    /// <summary>The samples of an image that was checked, of the type that it has.</summary>
    /// <exception cref="ArgumentException">They are not aligned.</exception>
    public static Span<T> Samples<T>(NativeImage* image, string name)
        where T : unmanaged => image->Data % Unsafe.SizeOf<T>() == 0
            ? new Span<T>((void*)image->Data, image->Height * image->Width * image->Channels)
            : throw new ArgumentException($"'{name}' has data 0x{image->Data:x}, which is not aligned to a sample.");
}
