namespace SapaGpu.Cli.Guided.Models;

/// <summary>The model of all jobs of a process, loaded by the first that needs it.</summary>
/// <param name="request">What to load.</param>
/// <param name="device">The device of all jobs.</param>
internal sealed class SharedModel(ModelRequest request, SharedDevice device) : IDisposable
{
    private LoadedModel? model;

    /// <summary>What to load.</summary>
    public ModelRequest Request => request;

    /// <summary>Loads the model, or gives the one that is loaded.</summary>
    public LoadedModel Load() => model ??= LoadedModel.Load(request, device.Open());

    /// <summary>Leaves model and device to a call that cannot be stopped, which the end of the process ends.</summary>
    public void Abandon()
    {
        model = null;
        device.Abandon();
    }

    /// <inheritdoc/>
    public void Dispose() => model?.Dispose();
}
