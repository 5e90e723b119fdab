namespace SapaGpu.Workloads.Vectors;

/// <summary>How a case ended.</summary>
internal enum CaseStatus
{
    /// <summary>Every value is within its bound.</summary>
    Passed,

    /// <summary>A value is off, missing, NaN or infinite, or the case could not be computed.</summary>
    Failed,

    /// <summary>The case needs something that is not supported.</summary>
    Skipped,
}

/// <summary>The value of a case that comes nearest to its bound, or is farthest beyond it.</summary>
internal sealed record WorstValue(string Tensor, double Error, double Bound, IReadOnlyList<int> Index);

/// <summary>The result of a case.</summary>
internal sealed record CaseResult(string Name, string Op, CaseStatus Status, string? Reason, WorstValue? Worst);

/// <summary>Runs test vectors and compares every output and gradient with what is expected.</summary>
/// <remarks>
/// Bounds: for single precision max(10⁻⁵·max(1, m), 20·e) with m the largest magnitude of the expected tensor and e the
/// error that plain single-precision runs of the reference made; for double precision 10⁻¹⁰·max(1, m). For 16-bit
/// types, whose inputs are rounded too, with u the distance from 1 to the next number: max(8·u·max(1, m), 20·e·u/u₃₂),
/// the error of single precision scaled by how much coarser the type is. The gradient of an offset jumps where rounding
/// moves a point into another cell; in 16-bit types it is only asked to stay within twice its largest magnitude.
/// </remarks>
internal static class VectorSuite
{
    private static readonly MemoryFormat[] Formats = [MemoryFormat.ChannelsLast, MemoryFormat.Contiguous];

    /// <summary>Runs a case in both memory formats.</summary>
    public static CaseResult Run(VectorCase vector, ComputeDevice device, ElementType elementType) =>
        Run(vector, device, elementType, VectorRunner.For(elementType));

    /// <summary>Runs a case in both memory formats with a runner of the caller.</summary>
    public static CaseResult Run(VectorCase vector, ComputeDevice device, ElementType elementType, VectorRunner runner)
    {
        if (VectorRunner.WhyUnsupported(vector, device.Info, elementType) is { } reason)
            return new CaseResult(vector.Name, vector.Op, CaseStatus.Skipped, reason, null);
        WorstValue? worst = null;
        foreach (var format in Formats)
        {
            IReadOnlyDictionary<string, double[]> results;
            try
            {
                results = runner.Run(vector, device, format);
            }
            catch (Exception e) when (e is not InvalidDataException)
            {
                return new CaseResult(
                    vector.Name, vector.Op, CaseStatus.Failed, $"{format}: {e.GetType().Name}: {e.Message}", worst);
            }
            foreach (var tensor in vector.Tensors.Where(tensor => tensor.Role is "output" or "grad" or "grad2"))
            {
                if (!results.TryGetValue(tensor.Name, out var values))
                {
                    return new CaseResult(
                        vector.Name, vector.Op, CaseStatus.Failed, $"{tensor.Name} was not computed", worst);
                }
                var candidate = Compare(tensor, values, vector.Load(tensor.Name).Values, elementType);
                if (worst is null || Excess(candidate) > Excess(worst))
                    worst = candidate;
            }
        }
        foreach (var checkpoint in vector.Checkpoints)
        {
            var (candidate, failure) = CheckCheckpoint(runner, vector, checkpoint, device, elementType);
            if (failure is not null)
                return new CaseResult(vector.Name, vector.Op, CaseStatus.Failed, failure, worst);
            if (worst is null || Excess(candidate!) > Excess(worst))
                worst = candidate;
        }
        return worst is null || Excess(worst) > 1
            ? new CaseResult(
                vector.Name, vector.Op, CaseStatus.Failed, worst is null ? "nothing to compare" : null, worst)
            : new CaseResult(vector.Name, vector.Op, CaseStatus.Passed, null, worst);
    }

    private static (WorstValue? Worst, string? Failure) CheckCheckpoint(
        VectorRunner runner, VectorCase vector, VectorCheckpoint checkpoint, ComputeDevice device, ElementType elementType)
    {
        double[] output;
        try
        {
            output = runner.RunCheckpoint(vector, vector.PathOf(checkpoint), device);
        }
        catch (Exception e)
        {
            return (null, $"{checkpoint.File}: {e.GetType().Name}: {e.Message}");
        }
        var rounding = checkpoint.Dtype switch
        {
            "float64" => ElementType.Float64,
            "float16" => ElementType.Float16,
            "bfloat16" => ElementType.BFloat16,
            _ => ElementType.Float32,
        };

        // The coarser of what computes and what was stored; a file in single precision holds the parameters exactly.
        var coarser = rounding.Unit() > ElementType.Float32.Unit() && rounding.Unit() > elementType.Unit()
            ? rounding
            : elementType;
        var tensor = vector.Find("out")!;
        var worst = Compare(tensor, output, vector.Load("out").Values, coarser);
        return (worst with { Tensor = $"out with {checkpoint.File}" }, null);
    }

    private static double Bound(VectorTensor tensor, ElementType elementType)
    {
        double magnitude = Math.Max(1, tensor.MaxAbs);
        double unit = elementType.Unit();
        return elementType switch
        {
            ElementType.Float64 => 1e-10 * magnitude,
            ElementType.Float32 => Math.Max(1e-5 * magnitude, 20 * tensor.Float32Error),
            _ when tensor.Name.StartsWith("grad_offset", StringComparison.Ordinal) => 2 * magnitude,
            _ => Math.Max(8 * unit * magnitude, 20 * tensor.Float32Error * unit / ElementType.Float32.Unit()),
        };
    }

    // NaN is as far beyond a bound as it gets.
    private static double Excess(WorstValue value) =>
        double.IsFinite(value.Error) ? value.Error / value.Bound : double.PositiveInfinity;

    private static WorstValue Compare(
        VectorTensor tensor, double[] values, double[] expected, ElementType elementType)
    {
        double bound = Bound(tensor, elementType);
        int at = 0;
        double error = values.Length == expected.Length ? 0 : double.NaN;
        for (int i = 0; i < values.Length && !double.IsNaN(error); i++)
        {
            double difference = Math.Abs(values[i] - expected[i]);
            if (!(difference <= error))
            {
                error = difference;
                at = i;
            }
        }
        return new WorstValue(tensor.Name, error, bound, IndexOf(at, tensor.Shape));
    }

    private static int[] IndexOf(int position, IReadOnlyList<int> shape)
    {
        var index = new int[shape.Count];
        for (int dimension = shape.Count - 1; dimension >= 0; dimension--)
            (position, index[dimension]) = Math.DivRem(position, shape[dimension]);
        return index;
    }
}
