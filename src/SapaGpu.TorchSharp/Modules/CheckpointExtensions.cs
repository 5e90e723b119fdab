using SapaGpu.Checkpoints;
using TorchSharp;

namespace SapaGpu.TorchSharp;

/// <summary>Loads checkpoints of PyTorch and safetensors into TorchSharp modules, and saves them.</summary>
public static class CheckpointExtensions
{
    /// <summary>
    /// Loads the parameters and buffers of a module from a PyTorch checkpoint, whose pickle is parsed but not executed,
    /// or from a safetensors file. Weights of linear layers [O, I] and of 1×1 convolutions [O, I, 1, 1] are
    /// interchangeable.
    /// </summary>
    /// <param name="module">The module.</param>
    /// <param name="path">The file.</param>
    /// <param name="prefix">
    /// The prefix of the module's names in the file, such as "decode_head.up1."; it may begin with the keys that lead to
    /// an inner dictionary of a PyTorch checkpoint, such as "state_dict_ema.decode_head.up1.".
    /// </param>
    /// <param name="strict">Whether missing and unexpected names are errors.</param>
    /// <returns>The missing names, whose tensors keep their values, and the unexpected names.</returns>
    /// <exception cref="InvalidDataException">
    /// The file is damaged, is not a checkpoint, or has no tensors.
    /// </exception>
    /// <exception cref="StateMismatchException">
    /// Names or shapes do not match, or a parameter is no tensor of a type that is read; the module was not changed.
    /// </exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static StateLoadReport LoadCheckpoint(
        this torch.nn.Module module, string path, string prefix = "", bool strict = true)
    {
        ArgumentNullException.ThrowIfNull(module);
        ArgumentNullException.ThrowIfNull(prefix);
        return module.LoadCheckpoint(
            StateDict.Query(path, new StateQuery(prefix, [.. module.state_dict().Keys])), strict);
    }

    /// <summary>Loads the parameters and buffers of a module from a state_dict.</summary>
    /// <inheritdoc cref="LoadCheckpoint(torch.nn.Module, string, string, bool)" path="/*[not(self::summary or self::param)]"/>
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

    /// <summary>Copies the parameters and buffers of a module to a state_dict, to be saved as safetensors.</summary>
    /// <param name="module">The module.</param>
    /// <param name="type">
    /// The type to convert all tensors to. Null keeps float64, float32, float16, bfloat16, int64 and int32, and
    /// converts all other types to float32.
    /// </param>
    /// <exception cref="ArgumentOutOfRangeException">The type is not defined, or Other.</exception>
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
