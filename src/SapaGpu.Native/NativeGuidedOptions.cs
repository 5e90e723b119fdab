using System.Runtime.InteropServices;
using SapaGpu.Guided;

namespace SapaGpu.Native;

/// <summary>sapa_guided_options.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct NativeGuidedOptions
{
    public uint StructSize;
    public int Kind;
    public int Method;
    public int Window;
    public double ColourSigma;
    public double SpaceSigma;
    public double* Unknown;
    public int UnknownCount;
    public int Refine;
    public int HasOpacity;
    public int AreProbabilities;

    public static GuidedOptions Read(NativeGuidedOptions* options, ComputeDevice? device)
    {
        if (options is null)
            return new GuidedOptions { Device = device };
        NativeStruct.CheckSize(options, "options");
        if (options->UnknownCount < 0)
            throw new ArgumentException($"'unknown_count' must be at least 0; got {options->UnknownCount}.");
        if (options->UnknownCount > 0)
            NativeStruct.CheckNotNull(options->Unknown, "unknown");
        return new GuidedOptions
        {
            Kind = (MapKind)options->Kind,
            Method = (UpsampleMethod)options->Method,
            Window = options->Window == 0 ? null : options->Window,
            ColourSigma = options->ColourSigma == 0 ? null : options->ColourSigma,
            SpaceSigma = options->SpaceSigma == 0 ? null : options->SpaceSigma,
            Unknown = new ReadOnlySpan<double>(options->Unknown, options->UnknownCount).ToArray(),
            Refine = NativeStruct.Flag(options->Refine, "refine"),
            HasOpacity = NativeStruct.Flag(options->HasOpacity, "has_opacity"),
            AreProbabilities = NativeStruct.Flag(options->AreProbabilities, "are_probabilities"),
            Device = device,
        };
    }
}
