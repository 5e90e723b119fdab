namespace SapaGpu.Native;

/// <summary>The types of the samples of images; the values are those of the C header.</summary>
internal enum NativeSamples
{
    UInt8 = 0,
    UInt16 = 1,
    Int32 = 2,
    Float32 = 3,
}
