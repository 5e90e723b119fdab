using SapaGpu.Maps;

namespace SapaGpu.Cli.Guided.Models;

/// <summary>A model with the parameters of a checkpoint, on a device.</summary>
internal abstract class LoadedModel(UpsamplingModel kind, ModelSettings settings, ImageNormalisation normalisation) : IDisposable
{
    /// <summary>The model.</summary>
    public UpsamplingModel Kind => kind;

    /// <summary>Its options.</summary>
    public ModelSettings Settings => settings;

    /// <summary>What is done to the samples of the photo.</summary>
    protected ImageNormalisation Normalisation => normalisation;

    /// <summary>The device.</summary>
    public abstract ComputeDevice Device { get; }

    /// <summary>The element type of features and results.</summary>
    public abstract ElementType ElementType { get; }

    /// <summary>Loads a checkpoint.</summary>
    /// <exception cref="InvalidDataException">The file is no checkpoint of the model.</exception>
    /// <exception cref="ArgumentException">Options do not suit it.</exception>
    /// <exception cref="StateMismatchException">Its parameters are not those of the model.</exception>
    /// <exception cref="NotSupportedException">The device does not support the element type.</exception>
    public static LoadedModel Load(ModelRequest request, ComputeDevice device) =>
        request.ElementType.Dispatch<Loader, LoadedModel>(new Loader(request, new ModelCheckpoint(request), device));

    /// <summary>Upsamples features.</summary>
    /// <param name="photo">The photo.</param>
    /// <param name="features">The features.</param>
    /// <param name="cells">The cells of them that the photo covers.</param>
    /// <param name="name">The name of the features in messages.</param>
    /// <param name="height">The rows of the result.</param>
    /// <param name="width">The columns of the result.</param>
    public abstract UpsampledFeatures Upsample(
        Photo photo, FeatureArray features, Region cells, string name, int height, int width);

    /// <inheritdoc/>
    public abstract void Dispose();

    private sealed class Loader(ModelRequest request, ModelCheckpoint checkpoint, ComputeDevice device)
        : IElementVisitor<LoadedModel>
    {
        public LoadedModel Visit<T>()
            where T : unmanaged
        {
            string type = request.ElementType.ShortName();
            if (request.Model == UpsamplingModel.Naf)
            {
                var naf = checkpoint.Naf();
                return Load(
                    new NafUpsampler<T>(device, naf),
                    new ModelSettings(request.Checkpoint, type, naf.Channels, naf.Heads, naf.Window, null));
            }
            var anyUp = checkpoint.AnyUp();
            return Load(
                new AnyUpUpsampler<T>(device, anyUp),
                new ModelSettings(request.Checkpoint, type, anyUp.Channels, anyUp.Heads, null, anyUp.WindowRatio));
        }

        private LoadedModel<T> Load<T>(ImageGuidedUpsampler<T> module, ModelSettings settings)
            where T : unmanaged
        {
            try
            {
                module.Load(checkpoint.State);
                return new LoadedModel<T>(request.Model, settings, request.Normalisation, module);
            }
            catch (StateMismatchException e)
            {
                module.Dispose();
                throw new InvalidDataException($"{request.Checkpoint}: {e.Message}", e);
            }
        }
    }
}

/// <summary>A model of one element type.</summary>
internal sealed class LoadedModel<T>(
    UpsamplingModel kind, ModelSettings settings, ImageNormalisation normalisation, ImageGuidedUpsampler<T> module)
    : LoadedModel(kind, settings, normalisation)
    where T : unmanaged
{
    /// <inheritdoc/>
    public override ComputeDevice Device => module.Device;

    /// <inheritdoc/>
    public override ElementType ElementType => ElementTypes.Of<T>();

    /// <inheritdoc/>
    public override UpsampledFeatures Upsample(
        Photo photo, FeatureArray features, Region cells, string name, int height, int width)
    {
        using var image = FeatureMap<T>.From(
            Device, new MapShape(1, Photo.Channels, photo.Height, photo.Width), Normalisation.Apply<T>(photo));
        using var all = FeatureMap<T>.From(
            Device,
            new MapShape(1, features.Channels, features.Height, features.Width),
            features.To<T>(name),
            features.Format);
        using var covered = all.Crop(cells.Row, cells.Column, cells.Height, cells.Width);
        return new UpsampledFeatures<T>(module.Forward(image, covered, height, width));
    }

    /// <inheritdoc/>
    public override void Dispose() => module.Dispose();
}
