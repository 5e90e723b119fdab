namespace SapaGpu.Cli.Vectors;

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
/// error that plain single-precision runs of the reference made; for double precision 10⁻¹⁰·max(1, m).
/// </remarks>
internal static class VectorSuite
{
    private static readonly MemoryFormat[] Formats = [MemoryFormat.ChannelsLast, MemoryFormat.Contiguous];

    /// <summary>Runs a case in both memory formats.</summary>
    public static CaseResult Run(VectorCase vector, Device device, ElementType elementType)
    {
        if (VectorRunner.WhyUnsupported(vector, device.Info, elementType) is { } reason)
            return new CaseResult(vector.Name, vector.Op, CaseStatus.Skipped, reason, null);
        var runner = VectorRunner.For(elementType);
        WorstValue? worst = null;
        foreach (var format in Formats)
        {
            IReadOnlyDictionary<string, double[]> results;
            try
            {
                results = runner.Run(vector, device, format);
            }
            catch (Exception e) when (e is not (InvalidDataException or OutOfMemoryException))
            {
                return new CaseResult(
                    vector.Name, vector.Op, CaseStatus.Failed, $"{format}: {e.GetType().Name}: {e.Message}", worst);
            }
            foreach (var tensor in vector.Tensors.Where(tensor => tensor.Role is "output" or "grad"))
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
        return worst is null || Excess(worst) > 1
            ? new CaseResult(vector.Name, vector.Op, CaseStatus.Failed, worst is null ? "nothing to compare" : null, worst)
            : new CaseResult(vector.Name, vector.Op, CaseStatus.Passed, null, worst);
    }

    // NaN is as far beyond a bound as it gets.
    private static double Excess(WorstValue value) =>
        double.IsFinite(value.Error) ? value.Error / value.Bound : double.PositiveInfinity;

    private static WorstValue Compare(
        VectorTensor tensor, double[] values, double[] expected, ElementType elementType)
    {
        double magnitude = Math.Max(1, tensor.MaxAbs);
        double bound = elementType == ElementType.Float64
            ? 1e-10 * magnitude
            : Math.Max(1e-5 * magnitude, 20 * tensor.Float32Error);
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
