using System.Globalization;
using SapaGpu.Cli.Images;

namespace SapaGpu.Cli.Guided.Models;

/// <summary>Refuses, before anything is computed, what a device cannot hold.</summary>
internal static class ModelMemory
{
    /// <summary>What to change where memory is short.</summary>
    public const string Remedy = "a smaller --size, a smaller --guide-size, or --dtype f16";

    private const int EncodedMaps = 2;

    /// <summary>More pixels than this many outputs, NAF makes smaller before it encodes them.</summary>
    private const int LargestImageOfNaf = 16;

    /// <summary>Checks the sizes of a call.</summary>
    /// <param name="model">The model.</param>
    /// <param name="photo">The size of the photo that is encoded.</param>
    /// <param name="output">The size of the result.</param>
    /// <param name="channels">The channels of the features.</param>
    /// <exception cref="InsufficientMemoryException">The device has less memory than the call takes at least.</exception>
    public static void Check(LoadedModel model, ImageSize photo, ImageSize output, int channels)
    {
        long pixels = (long)output.Height * output.Width;
        if (Math.Max(pixels, (long)output.Width * channels) > Array.MaxLength)
            throw new InsufficientMemoryException($"{channels} channels of {output.Text} are too many; give a smaller --size.");
        long encoded = (long)photo.Height * photo.Width;
        if (model.Kind == UpsamplingModel.Naf)
        {
            long side = Math.Min(output.Height, output.Width);
            encoded = Math.Min(encoded, Math.Max(pixels, LargestImageOfNaf * side * side));
        }
        Int128 result = (Int128)pixels * channels * model.ElementType.Size();

        // An encoder has the input and the output of a layer at a time.
        Int128 encoder = EncodedMaps * (Int128)Math.Max(pixels, encoded) * model.Settings.Channels
            * model.ElementType.Accumulator().Size();
        long memory = model.Device.Info.MemoryBytes;
        if (memory <= 0 || result + encoder <= memory)
            return;
        throw new InsufficientMemoryException(
            $"{channels} channels of {output.Text} in {model.Settings.Dtype} take {Text(result)}, and encoding a photo of " +
            $"{photo.Text} for it at least {Text(encoder)}, but {model.Device.Id} has {Text(memory)}; give {Remedy}.");
    }

    private static string Text(Int128 bytes) =>
        string.Create(CultureInfo.InvariantCulture, $"{(double)bytes / (1 << 30):0.##} GiB");
}
