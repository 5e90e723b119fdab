
namespace SapaGpu.Guided;

/// <summary>A method that interpolates values from cells to the pixels of a photo.</summary>
internal interface IInterpolator
{
    /// <summary>The number of cells beyond its own, in each direction, from which a pixel takes values.</summary>
    int Reach { get; }

    /// <summary>The numbers that the method holds for a pixel beside its values, for planning memory.</summary>
    int WorkingChannels { get; }

    /// <summary>Computes the pixels of a rectangle of cells.</summary>
    /// <param name="cells">The cells whose pixels are wanted.</param>
    /// <param name="surroundings">
    /// These cells with <see cref="Reach"/> more on all sides, as far as the map goes.
    /// </param>
    /// <param name="channels">The number of channels.</param>
    /// <param name="values">The values of the surroundings, channels side by side.</param>
    /// <param name="output">The values of the pixels, channels side by side.</param>
    void Interpolate(
        Region cells, Region surroundings, int channels, ReadOnlySpan<float> values, Span<float> output);
}
