using System.Numerics;
using SapaGpu.Guided;

namespace SapaGpu.Native;

/// <summary>Guided upsampling of images whose types of samples are known at run time.</summary>
internal static unsafe class GuidedImages
{
    /// <exception cref="ArgumentException">An image is null or no image, or they do not fit each other.</exception>
    public static void Upsample(NativeImage* photo, NativeImage* map, NativeImage* result, GuidedOptions options)
    {
        NativeImage.Check(photo, "photo");
        NativeImage.Check(map, "map");
        NativeImage.Check(result, "result");
        if ((NativeSamples)photo->SampleType != NativeSamples.UInt8 || photo->Channels is not (1 or 3))
        {
            throw new ArgumentException(
                $"'photo' must be of SAPA_SAMPLES_U8 with 1 or 3 channels; got sample_type {photo->SampleType} and " +
                $"{photo->Channels} channels.");
        }
        if (result->Height != photo->Height || result->Width != photo->Width)
        {
            throw new ArgumentException(
                $"'result' must have the size of 'photo', {photo->Width}x{photo->Height}; got {result->Width}x{result->Height}.");
        }
        bool decides = options.Kind == MapKind.Logits && result->Channels == 1;
        if (!decides && result->Channels != map->Channels)
        {
            throw new ArgumentException(
                $"'result' must have the {map->Channels} channels of 'map'; got {result->Channels}.");
        }
        switch ((NativeSamples)map->SampleType)
        {
            case NativeSamples.UInt8:
                From<byte>(photo, map, result, options, decides);
                break;
            case NativeSamples.UInt16:
                From<ushort>(photo, map, result, options, decides);
                break;
            case NativeSamples.Int32:
                From<int>(photo, map, result, options, decides);
                break;
            case NativeSamples.Float32:
                From<float>(photo, map, result, options, decides);
                break;
        }
    }

    private static void From<T>(NativeImage* photo, NativeImage* map, NativeImage* result, GuidedOptions options, bool decides)
        where T : unmanaged, INumber<T>
    {
        switch ((NativeSamples)result->SampleType)
        {
            case NativeSamples.UInt8:
                Run<T, byte>(photo, map, result, options, decides);
                break;
            case NativeSamples.UInt16:
                Run<T, ushort>(photo, map, result, options, decides);
                break;
            case NativeSamples.Int32:
                Run<T, int>(photo, map, result, options, decides);
                break;
            case NativeSamples.Float32:
                Run<T, float>(photo, map, result, options, decides);
                break;
        }
    }

    private static void Run<T, TResult>(
        NativeImage* photo, NativeImage* map, NativeImage* result, GuidedOptions options, bool decides)
        where T : unmanaged, INumber<T>
        where TResult : unmanaged, INumber<TResult>
    {
        var guide = new PhotoSpan(NativeImage.Samples<byte>(photo, "photo"), photo->Height, photo->Width);
        var small = new MapSpan<T>(NativeImage.Samples<T>(map, "map"), map->Height, map->Width, map->Channels);
        var large = NativeImage.Samples<TResult>(result, "result");
        if (decides)
            GuidedUpsampler.UpsampleToClasses(guide, small, large, options);
        else
            GuidedUpsampler.Upsample(guide, small, large, options);
    }
}
