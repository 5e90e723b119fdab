using SapaGpu.Checkpoints;
using SapaGpu.Layers;
using SapaGpu.Maps;
using SapaGpu.Modules;

namespace SapaGpu;

/// <summary>
/// The base of the upsampling modules: parameters with the names of a PyTorch state_dict, read from and saved to
/// checkpoints.
/// </summary>
/// <typeparam name="T">
/// The element type of the features: float, double, <see cref="Half"/> or <see cref="BFloat16"/>. Parameters are double
/// for double, otherwise float.
/// </typeparam>
public abstract class UpsamplerModule<T> : IDisposable
    where T : unmanaged
{
    private readonly ParameterSet parameters;
    private readonly Lifetime lifetime;

    private protected UpsamplerModule(ComputeDevice device, IReadOnlyList<ParameterSpec> specs, int seed)
    {
        Device = device;
        parameters = new ParameterSet(device, ElementTypes.Of<T>().Accumulator(), specs);
        parameters.Initialise(new Random(seed));
        lifetime = new Lifetime(parameters.Dispose);
    }

    /// <summary>
    /// Gets the device that holds the parameters. The module runs on the stream of its features, which may be of any view of that
    /// device (<see cref="ComputeDevice.OnStream"/>).
    /// </summary>
    public ComputeDevice Device { get; }

    /// <summary>
    /// Gets the parameters; read and write their values with <see cref="Parameter.Read"/> and
    /// <see cref="Parameter.Write"/>.
    /// </summary>
    public IReadOnlyList<Parameter> Parameters => parameters.Parameters;

    /// <summary>Gets whether the module was disposed.</summary>
    public bool IsDisposed => lifetime.IsDisposed;

    /// <summary>The parameters for calls on the stream of a map.</summary>
    private protected ParameterSet ValuesFor(FeatureMap map) => parameters.On(map.Device);

    /// <summary>Gets a parameter by its name.</summary>
    /// <param name="name">The name of the parameter, such as "q.weight".</param>
    /// <exception cref="KeyNotFoundException">
    /// No parameter has this name; the message lists the names.
    /// </exception>
    public Parameter this[string name] => Parameter.Find(Parameters, name);

    /// <summary>
    /// Loads the parameters from a checkpoint: a .pth of PyTorch, whose pickle is parsed but never executed, or
    /// .safetensors. Weights of linear layers, [O, I], and of 1×1 convolutions, [O, I, 1, 1], are interchangeable.
    /// </summary>
    /// <param name="path">The path of the file.</param>
    /// <param name="prefix">
    /// The prefix of the names of this module's parameters in the file, such as "decode_head.up1."; it may begin with the
    /// keys that lead to an inner dictionary of a PyTorch checkpoint, such as "state_dict_ema.decode_head.up1.".
    /// </param>
    /// <param name="strict">Whether missing and unexpected names are errors; wrong shapes always are.</param>
    /// <returns>The missing names, whose parameters keep their values, and the unexpected ones.</returns>
    /// <exception cref="InvalidDataException">
    /// The file is not a checkpoint, is damaged, or has no tensors.
    /// </exception>
    /// <exception cref="StateMismatchException">
    /// Names or shapes do not match, or a parameter is no tensor of a type that is read; no parameter was changed.
    /// </exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    /// <exception cref="ObjectDisposedException">The module was disposed.</exception>
    public StateLoadReport Load(string path, string prefix = "", bool strict = true)
    {
        ArgumentNullException.ThrowIfNull(prefix);
        ObjectDisposedException.ThrowIf(IsDisposed, this);
        return Load(StateDict.Query(path, new StateQuery(prefix, [.. Parameters.Select(p => p.Name)])), strict);
    }

    /// <summary>Loads the parameters from a state_dict.</summary>
    /// <param name="state">The entries, with the names of this module's parameters.</param>
    /// <param name="strict">Whether missing and unexpected names are errors; wrong shapes always are.</param>
    /// <returns>The missing names, whose parameters keep their values, and the unexpected ones.</returns>
    /// <exception cref="StateMismatchException">
    /// Names or shapes do not match; no parameter was changed.
    /// </exception>
    /// <exception cref="ObjectDisposedException">The module was disposed.</exception>
    public StateLoadReport Load(StateDict state, bool strict = true)
    {
        ArgumentNullException.ThrowIfNull(state);
        using var use = HoldParameters();
        var match = StateMatching.Match(
            [.. Parameters.Select(parameter => new ExpectedEntry(parameter.Name, parameter.Shape))], state, strict);
        foreach (var entry in match.Entries)
            this[entry.Name].Write(entry.ToDoubles());
        return match.Report;
    }

    /// <summary>Copies the parameters into a state_dict, which can be saved as .safetensors.</summary>
    /// <param name="type">The floating-point type to round to; null for the type of the parameters.</param>
    /// <returns>The entries, in the order of the parameters.</returns>
    /// <exception cref="ArgumentException"><paramref name="type"/> is not a floating-point type.</exception>
    /// <exception cref="ObjectDisposedException">The module was disposed.</exception>
    public StateDict ToStateDict(CheckpointType? type = null)
    {
        using var use = HoldParameters();
        var own = ElementTypes.Of<T>() == ElementType.Float64 ? CheckpointType.Float64 : CheckpointType.Float32;
        var target = type ?? own;
        if (target is not (CheckpointType.Float64 or CheckpointType.Float32 or CheckpointType.Float16 or CheckpointType.BFloat16))
        {
            throw new ArgumentException(
                $"Parameters cannot be stored as {target}; choose Float64, Float32, Float16 or BFloat16.",
                nameof(type));
        }
        var state = new StateDict();
        foreach (var parameter in Parameters)
            state.Add(StateEntry.FromDoubles(parameter.Name, [.. parameter.Shape], parameter.Read(), target));
        return state;
    }

    /// <summary>Disposes the parameters, after the last call that is under way.</summary>
    public void Dispose()
    {
        lifetime.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>Keeps the parameters until the use is disposed.</summary>
    private protected Lifetime.HeldLifetime HoldParameters() => lifetime.Hold(this);

    private protected static void CheckDevice(ComputeDevice device, int window)
    {
        ArgumentNullException.ThrowIfNull(device);
        var reasons = OperatorSupport.Reasons(device.Info, ElementTypes.Of<T>(), window, scale: 1);
        if (reasons.Count > 0)
            throw new NotSupportedException($"Not supported on {device.Id}: {string.Join("; ", reasons)}.");
    }

    private protected void CheckFeatures(Operand features, int channels, params ReadOnlySpan<Operand> operands)
    {
        ArgumentNullException.ThrowIfNull(features.Map, features.Name);
        ObjectDisposedException.ThrowIf(IsDisposed, this);
        OperandChecks.SameDevice(operands);
        if (!features.Map.Device.SharesMemoryWith(Device))
        {
            throw new DeviceMismatchException(
                $"The module is on {Device}, '{features.Name}' on {features.Map.Device}; move the features with " +
                $"To(device). {OperandChecks.Describe(operands)}");
        }
        if (features.Map.Shape.Channels != channels)
        {
            throw new ArgumentException(
                $"The module expects {channels} channels of '{features.Name}'; got {features.Map.Shape.Channels}. " +
                OperandChecks.Describe(operands),
                features.Name);
        }
    }

    /// <summary>Checks a map of the caller that the output is to be written to; null is none.</summary>
    private protected static void CheckOutput(FeatureMap<T>? output, MapShape expected, params ReadOnlySpan<Operand> features)
    {
        if (output is null)
            return;
        Operand result = new(nameof(output), output);
        OperandChecks.SameDevice([.. features, result]);
        OperandChecks.Shape(nameof(output), output, expected, [.. features, result]);
        OperandChecks.NoOverlap(nameof(output), output, features);
    }

    private protected void CheckContext(object module, string name)
    {
        ObjectDisposedException.ThrowIf(IsDisposed, this);
        if (!ReferenceEquals(module, this))
        {
            throw new ArgumentException(
                "Another module made the context; call Backward of the module whose Forward returned it.", name);
        }
    }
}
