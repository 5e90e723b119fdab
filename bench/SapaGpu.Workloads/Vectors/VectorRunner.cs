using SapaGpu.Maps;

namespace SapaGpu.Workloads.Vectors;

/// <summary>Computes a case: its outputs and gradients by name, in the order of the files.</summary>
internal abstract class VectorRunner
{
    /// <summary>Says why a case cannot be run; null if it can.</summary>
    public static string? WhyUnsupported(VectorCase vector, DeviceInfo device, ElementType elementType)
    {
        if (!VectorOperators.Layouts.ContainsKey(vector.Op))
            return $"the operator {vector.Op} is not in this version";
        var reasons = OperatorSupport.Reasons(device, elementType);
        return reasons.Count > 0 ? string.Join("; ", reasons) : null;
    }

    /// <summary>The runner of an element type.</summary>
    public static VectorRunner For(ElementType elementType) =>
        elementType.Dispatch<Creation, VectorRunner>(default);

    /// <summary>Runs a case with all maps in one memory format.</summary>
    public abstract IReadOnlyDictionary<string, double[]> Run(
        VectorCase vector, ComputeDevice device, MemoryFormat format);

    /// <summary>The output of a case with its parameters from a checkpoint.</summary>
    public abstract double[] RunCheckpoint(VectorCase vector, string checkpoint, ComputeDevice device);

    private readonly struct Creation : IElementVisitor<VectorRunner>
    {
        public VectorRunner Visit<T>()
            where T : unmanaged => new VectorRunner<T>();
    }
}

/// <summary>The runner of one element type.</summary>
internal sealed class VectorRunner<T> : VectorRunner
    where T : unmanaged
{
    public override IReadOnlyDictionary<string, double[]> Run(
        VectorCase vector, ComputeDevice device, MemoryFormat format)
    {
        using var operands = new VectorOperands<T>(vector, VectorOperators.Layouts[vector.Op], device, format);
        VectorOperators.Run(operands);
        return operands.Results;
    }

    public override double[] RunCheckpoint(VectorCase vector, string checkpoint, ComputeDevice device)
    {
        var layout = VectorOperators.Layouts[vector.Op];
        using var operands = new VectorOperands<T>(vector, layout, device, MemoryFormat.ChannelsLast);
        using var guided = VectorModules.ImageGuided<T>(vector, device);
        if (guided is not null)
        {
            guided.Load(checkpoint);
            operands.Keep("out", VectorModules.Forward(operands, guided));
            return operands.Results["out"];
        }
        using var module = new SapaUpsampler<T>(device, VectorModules.Options(vector));
        module.Load(checkpoint);
        operands.Keep("out", module.Forward(operands["y"], operands["x"]));
        return operands.Results["out"];
    }
}
