using SapaGpu.Checkpoints;
using SapaGpu.Layers;
using SapaGpu.Maps;

namespace SapaGpu;

/// <summary>What the upsampling modules share: parameters with the names of a PyTorch state_dict.</summary>
/// <typeparam name="T">
/// The element type of features: float, double, <see cref="Half"/> or <see cref="BFloat16"/>. Parameters are double for
/// double and else float.
/// </typeparam>
public abstract class UpsamplerModule<T> : IDisposable
    where T : unmanaged
{
    private readonly ParameterSet parameters;

    private protected UpsamplerModule(ComputeDevice device, IReadOnlyList<ParameterSpec> specs, int seed)
    {
        Device = device;
        parameters = new ParameterSet(device, ElementTypes.Of<T>().Accumulator(), specs);
        parameters.Initialise(new Random(seed));
    }

    /// <summary>Gets the device.</summary>
    public ComputeDevice Device { get; }

    /// <summary>Gets the parameters; read and write their values with <see cref="Parameter.Read"/> and
    /// <see cref="Parameter.Write"/>.</summary>
    public IReadOnlyList<Parameter> Parameters => parameters.Parameters;

    /// <summary>Gets whether the module was disposed.</summary>
    public bool IsDisposed { get; private set; }

    private protected ParameterSet Values => parameters;

    /// <summary>Finds a parameter by its name.</summary>
    /// <exception cref="KeyNotFoundException">There is none; the message lists the names.</exception>
    public Parameter this[string name] =>
        Parameters.FirstOrDefault(parameter => parameter.Name == name)
            ?? throw new KeyNotFoundException(
                $"There is no parameter '{name}'; there are {string.Join(", ", Parameters.Select(p => p.Name))}.");

    /// <summary>
    /// Reads the parameters from a checkpoint: a .pth of PyTorch, whose pickle is read without being run, or
    /// .safetensors. Linear weights [O, I] and weights of 1×1 convolutions [O, I, 1, 1] stand for each other.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <param name="prefix">
    /// What the names of this module's parameters start with there, such as "decode_head.up1.".
    /// </param>
    /// <param name="strict">Whether missing and unexpected names are errors.</param>
    /// <returns>The names that were missing, which keep their values, and those that were unexpected.</returns>
    /// <exception cref="InvalidDataException">
    /// The file is no checkpoint, is damaged, or names what is not allowed.
    /// </exception>
    /// <exception cref="StateMismatchException">Names or shapes do not fit; nothing was changed.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    /// <exception cref="ObjectDisposedException">The module was disposed.</exception>
    public StateLoadReport Load(string path, string prefix = "", bool strict = true)
    {
        ArgumentNullException.ThrowIfNull(prefix);
        var state = StateDict.Load(path);
        return Load(prefix.Length == 0 ? state : state.Subset(prefix), strict);
    }

    /// <summary>Takes the parameters from a state_dict.</summary>
    /// <inheritdoc cref="Load(string, string, bool)"/>
    /// <param name="state">The entries.</param>
    /// <param name="strict">Whether missing and unexpected names are errors.</param>
    public StateLoadReport Load(StateDict state, bool strict = true)
    {
        ArgumentNullException.ThrowIfNull(state);
        ObjectDisposedException.ThrowIf(IsDisposed, this);
        var match = StateMatching.Match(
            [.. Parameters.Select(parameter => new ExpectedEntry(parameter.Name, parameter.Shape))], state, strict);
        foreach (var entry in match.Entries)
            this[entry.Name].Write(entry.ToDoubles());
        return match.Report;
    }

    /// <summary>The parameters as a state_dict, to be saved as .safetensors.</summary>
    /// <param name="type">The type to round to; null for that of the parameters.</param>
    /// <exception cref="ArgumentException">The type holds whole numbers.</exception>
    /// <exception cref="ObjectDisposedException">The module was disposed.</exception>
    public StateDict ToStateDict(CheckpointType? type = null)
    {
        ObjectDisposedException.ThrowIf(IsDisposed, this);
        var own = ElementTypes.Of<T>() == ElementType.Float64 ? CheckpointType.Float64 : CheckpointType.Float32;
        var target = type ?? own;
        if (target is not (CheckpointType.Float64 or CheckpointType.Float32 or CheckpointType.Float16 or CheckpointType.BFloat16))
            throw new ArgumentException($"Parameters are floating-point numbers; {target} is not.", nameof(type));
        var state = new StateDict();
        foreach (var parameter in Parameters)
            state.Add(StateEntry.FromDoubles(parameter.Name, [.. parameter.Shape], parameter.Read(), target));
        return state;
    }

    /// <summary>Releases the parameters.</summary>
    public void Dispose()
    {
        IsDisposed = true;
        parameters.Dispose();
        GC.SuppressFinalize(this);
    }

    private protected static void CheckDevice(ComputeDevice device, int window)
    {
        ArgumentNullException.ThrowIfNull(device);
        var reasons = OperatorSupport.Reasons(device.Info, ElementTypes.Of<T>(), window, scale: 1);
        if (reasons.Count > 0)
            throw new NotSupportedException($"The module does not run on {device}: {string.Join("; ", reasons)}.");
    }

    private protected void CheckFeatures(Operand features, int channels, params ReadOnlySpan<Operand> operands)
    {
        ArgumentNullException.ThrowIfNull(features.Map, features.Name);
        ObjectDisposedException.ThrowIf(IsDisposed, this);
        OperandChecks.SameDevice([new("the module", Parameters.Count > 0 ? Parameters[0].Value : null), .. operands]);
        if (!ReferenceEquals(features.Map.Device, Device))
        {
            throw new DeviceMismatchException(
                $"The module is on {Device}, '{features.Name}' on {features.Map.Device}; move it with To(device).");
        }
        if (features.Map.Shape.Channels != channels)
        {
            throw new ArgumentException(
                $"The module was made for {channels} channels of '{features.Name}'. {OperandChecks.Describe(operands)}",
                features.Name);
        }
    }

    private protected void CheckContext(object module, string name)
    {
        ObjectDisposedException.ThrowIf(IsDisposed, this);
        if (!ReferenceEquals(module, this))
            throw new ArgumentException("The context was made by another module.", name);
    }
}
