using SapaGpu.Cli.Guided.Models;
using SapaGpu.Cli.Images;

namespace SapaGpu.Cli.Guided.Figures;

/// <summary>What a figure of features is made of.</summary>
/// <param name="Photo">The photo that was encoded.</param>
/// <param name="Features">The features.</param>
/// <param name="Cells">The cells of them that were upsampled.</param>
/// <param name="Upsampled">The result.</param>
/// <param name="Size">Its size.</param>
/// <param name="Part">The part of the result that the photo covers.</param>
/// <param name="Device">The device that interpolates.</param>
/// <param name="Model">The name of the model.</param>
internal sealed record FeatureFigureSource(
    Photo Photo, FeatureArray Features, Region Cells, UpsampledFeatures Upsampled, ImageSize Size, Region Part,
    ComputeDevice Device, string Model);
