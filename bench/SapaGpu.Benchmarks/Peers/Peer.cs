using SapaGpu.Workloads;
using TorchSharp;
using static TorchSharp.torch.nn;

namespace SapaGpu.Benchmarks;

/// <summary>
/// An operator as one composes it of libtorch's, with gradients by autograd, on the operands of ours.
/// </summary>
internal sealed class Peer : IDisposable
{
    private readonly Operator kind;
    private readonly Stage stage;
    private readonly Dictionary<string, torch.Tensor> operands;
    private readonly torch.Tensor gradOutput;
    private torch.Tensor? output;

    private Peer(Operator kind, Stage stage, OperatorSample sample, ElementType type, MemoryFormat format)
    {
        this.kind = kind;
        this.stage = stage;
        operands = sample.Inputs.ToDictionary(
            input => input.Name, input => TorchValues.Create(input, type, format).requires_grad_(true));
        gradOutput = TorchValues.Create(sample.GradOutput, type, format);
    }

    /// <summary>
    /// Makes a peer; libtorch must not have been touched before by a process that times our operators.
    /// </summary>
    /// <param name="kind">The operator.</param>
    /// <param name="stage">What is upsampled.</param>
    /// <param name="type">The type of all tensors, parameters included.</param>
    /// <param name="format">The format of the maps.</param>
    /// <param name="isChecked">Whether output and gradients are compared with ours.</param>
    /// <exception cref="InvalidOperationException">They differ.</exception>
    public static Peer Create(Operator kind, Stage stage, ElementType type, MemoryFormat format, bool isChecked)
    {
        var sample = Sample(kind, stage, type, format);
        var peer = new Peer(kind, stage, sample, type, format);
        if (isChecked)
            peer.Check(sample, type);
        return peer;
    }

    /// <summary>
    /// Operands and results of ours, for an implementation in libtorch, which can be touched after this call.
    /// </summary>
    public static OperatorSample Sample(Operator kind, Stage stage, ElementType type, MemoryFormat format)
    {
        TorchLibrary.AllowOlderRuntime();
        using var device = ComputeDevice.Open(DeviceKind.Cpu);
        using var run = OperatorRun.Create(kind, device, stage, type, format);
        return run.Sample();
    }

    /// <summary>The forward that the following backwards belong to.</summary>
    public void PrepareBackward() => output ??= Output();

    /// <summary>Makes one call.</summary>
    public void Run(Call call)
    {
        if (call == Call.Forward)
            Forward();
        else if (call == Call.Backward)
            Backward();
        else
            Both();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        output?.Dispose();
        gradOutput.Dispose();
        foreach (var operand in operands.Values)
            operand.Dispose();
    }

    private void Forward()
    {
        using var noGradients = torch.no_grad();
        using var scope = torch.NewDisposeScope();
        Compute();
    }

    private void Backward()
    {
        using var scope = torch.NewDisposeScope();
        Gradients(output!, keepsGraph: true);
    }

    private void Both()
    {
        using var scope = torch.NewDisposeScope();
        Gradients(Compute(), keepsGraph: false);
    }

    private torch.Tensor Output()
    {
        using var scope = torch.NewDisposeScope();
        return Compute().MoveToOuterDisposeScope();
    }

    private IList<torch.Tensor> Gradients(torch.Tensor of, bool keepsGraph) =>
        torch.autograd.grad([of], [.. operands.Values], [gradOutput], retain_graph: keepsGraph);

    private void Check(OperatorSample sample, ElementType type)
    {
        using var scope = torch.NewDisposeScope();
        var result = Compute();
        TorchValues.Check($"{kind}, output", result, sample.Output, type);
        var gradients = operands.Keys.Zip(Gradients(result, keepsGraph: false)).ToDictionary();
        // Gradients of parameters are sums over all pixels, of which little may be left: softmax does not see an offset
        // that all keys share. They are compared as a share of the largest of them.
        double largest = sample.Gradients.Where(IsParameter).Select(Largest).DefaultIfEmpty(double.Epsilon).Max();
        foreach (var expected in sample.Gradients.Where(gradient => IsComparable(gradient, type)))
        {
            TorchValues.Check(
                $"{kind}, gradient of {expected.Name}",
                gradients[expected.Name],
                expected,
                type,
                IsParameter(expected) ? largest : double.Epsilon);
        }
    }

    private static bool IsParameter(HostArray gradient) => gradient.Name.Contains('.');

    private static double Largest(HostArray array) => array.Values.Max(Math.Abs);

    // With 16 bits the gradients of parameters are sums that cancel, of which libtorch's rounding leaves little. The
    // gradient of an offset jumps where its point is a whole number, and rounding in less than double moves some points
    // across.
    private static bool IsComparable(HostArray gradient, ElementType type) =>
        gradient.Name == "offsets"
            ? type == ElementType.Float64
            : type.Size() > sizeof(ushort) || !IsParameter(gradient);

    private torch.Tensor Compute() => kind switch
    {
        Operator.WindowAttention => OperatorFormulas.Attention(
            operands["query"], operands["key"], operands["value"], stage, stage.Heads),
        Operator.CrossAttention => CrossFormulas.Attention(
            operands["query"], operands["key"], operands["value"], stage),
        Operator.SapaI => ModuleFormulas.SapaInnerProduct(operands, stage),
        Operator.SapaB => ModuleFormulas.Sapa(operands, stage),
        Operator.SapaG => ModuleFormulas.SapaGated(operands, stage),
        Operator.SapaD => ModuleFormulas.SapaDeformable(operands, stage),
        Operator.Deformable => OperatorFormulas.Deformable(
            operands["query"], operands["key"], operands["value"], operands["offsets"], stage),
        Operator.Carafe => OperatorFormulas.Reassembly(operands["weights"], operands["value"], stage),
        Operator.CarafeModule => ModuleFormulas.Carafe(operands, stage),
        Operator.Bilinear => Interpolate(torch.InterpolationMode.Bilinear, alignsCorners: false),
        _ => Interpolate(torch.InterpolationMode.Nearest, alignsCorners: null),
    };

    private torch.Tensor Interpolate(torch.InterpolationMode mode, bool? alignsCorners) => functional.interpolate(
        operands["input"],
        [stage.Height * stage.Scale, stage.Width * stage.Scale],
        mode: mode,
        align_corners: alignsCorners);
}
