using SapaGpu.Checkpoints;
using TorchSharp;

namespace SapaGpu.TorchSharp;

/// <summary>Checkpoints of PyTorch and safetensors for modules of torch.</summary>
public static class CheckpointExtensions
{
    /// <summary>
    /// Reads the parameters and buffers of a module from a .pth of PyTorch, whose pickle is read without being run, or
    /// from .safetensors. Weights of linear layers [O, I] and of 1×1 convolutions [O, I, 1, 1] stand for each other.
    /// </summary>
    /// <param name="module">The module.</param>
    /// <param name="path">The file.</param>
    /// <param name="prefix">What the names of this module start with there, such as "decode_head.up1.".</param>
    /// <param name="strict">Whether missing and unexpected names are errors.</param>
    /// <returns>The names that were missing, which keep their values, and those that were unexpected.</returns>
    /// <exception cref="InvalidDataException">
    /// The file is no checkpoint, is damaged, or names what is not allowed.
    /// </exception>
    /// <exception cref="StateMismatchException">Names or shapes do not fit; nothing was changed.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static StateLoadReport LoadCheckpoint(
        this torch.nn.Module module, string path, string prefix = "", bool strict = true)
    {
        ArgumentNullException.ThrowIfNull(module);
        ArgumentNullException.ThrowIfNull(prefix);
        var state = StateDict.Load(path);
        return module.LoadCheckpoint(prefix.Length == 0 ? state : state.Subset(prefix), strict);
    }

    /// <summary>Takes the parameters and buffers of a module from a state_dict.</summary>
    /// <inheritdoc cref="LoadCheckpoint(torch.nn.Module, string, string, bool)"/>
    /// <param name="module">The module.</param>
    /// <param name="state">The entries.</param>
    /// <param name="strict">Whether missing and unexpected names are errors.</param>
    public static StateLoadReport LoadCheckpoint(this torch.nn.Module module, StateDict state, bool strict = true)
    {
        ArgumentNullException.ThrowIfNull(module);
        ArgumentNullException.ThrowIfNull(state);
        var own = module.state_dict();
        var match = StateMatching.Match(
            [.. own.Select(
                entry => new ExpectedEntry(entry.Key, Array.ConvertAll(entry.Value.shape, size => (int)size)))],
            state,
            strict);
        using var scope = torch.NewDisposeScope();
        using var unrecorded = torch.no_grad();
        foreach (var entry in match.Entries)
        {
            var target = own[entry.Name];
            target.copy_(torch.tensor(entry.ToDoubles(), torch.float64).reshape(target.shape));
        }
        return match.Report;
    }

    /// <summary>The parameters and buffers of a module as a state_dict, to be saved as .safetensors.</summary>
    /// <param name="module">The module.</param>
    /// <param name="type">
    /// The type to round to; null for each tensor's own, float32 for types that have no name here.
    /// </param>
    public static StateDict ToStateDict(this torch.nn.Module module, CheckpointType? type = null)
    {
        ArgumentNullException.ThrowIfNull(module);
        var state = new StateDict();
        using var scope = torch.NewDisposeScope();
        foreach (var (name, tensor) in module.state_dict())
        {
            var values = tensor.detach().cpu().to_type(torch.float64).contiguous().data<double>().ToArray();
            state.Add(StateEntry.FromDoubles(
                name, Array.ConvertAll(tensor.shape, size => (int)size), values, type ?? TypeOf(tensor.dtype)));
        }
        return state;
    }

    private static CheckpointType TypeOf(torch.ScalarType type) => type switch
    {
        torch.ScalarType.Float64 => CheckpointType.Float64,
        torch.ScalarType.Float16 => CheckpointType.Float16,
        torch.ScalarType.BFloat16 => CheckpointType.BFloat16,
        torch.ScalarType.Int64 => CheckpointType.Int64,
        torch.ScalarType.Int32 => CheckpointType.Int32,
        _ => CheckpointType.Float32,
    };
}
