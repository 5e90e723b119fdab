using System.Runtime.InteropServices;

namespace SapaGpu.Native;

/// <summary>sapa_anyup_options.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct NativeAnyUpOptions : INativeModuleOptions<NativeAnyUpOptions>
{
    public uint StructSize;
    public int ElementType;
    public int Channels;
    public int Heads;
    public int ImageKernel;
    public int FeatureKernel;
    public int FeatureKernels;
    public int NormGroups;
    public double WindowRatio;
    public double Epsilon;
    public double RootMeanSquareEpsilon;

    public static (int ElementType, object Module) Read(NativeAnyUpOptions* options)
    {
        NativeStruct.CheckNotNull(options, "options");
        NativeStruct.CheckSize(options, "options");
        return (options->ElementType, new AnyUpOptions
        {
            Channels = options->Channels,
            Heads = options->Heads,
            ImageKernel = options->ImageKernel,
            FeatureKernel = options->FeatureKernel,
            FeatureKernels = options->FeatureKernels,
            NormGroups = options->NormGroups,
            WindowRatio = options->WindowRatio,
            Epsilon = options->Epsilon,
            RootMeanSquareEpsilon = options->RootMeanSquareEpsilon,
        });
    }
}
