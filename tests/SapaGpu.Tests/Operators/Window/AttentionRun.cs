namespace SapaGpu.Tests.Operators;

/// <summary>Window attention, forward and backward, of operands of the reference.</summary>
internal static class AttentionRun
{
    /// <summary>The output and the gradients of query, key and value.</summary>
    public static double[][] Of<T>(ComputeDevice device, AttentionCase operands, MemoryFormat format)
        where T : unmanaged => Of<T>(
        device, operands.Query, operands.Key, operands.Value, operands.GradOutput, operands.Options, format);

    /// <inheritdoc cref="Of{T}(ComputeDevice, AttentionCase, MemoryFormat)"/>
    public static double[][] Of<T>(ComputeDevice device, OptionsCase operands, MemoryFormat format)
        where T : unmanaged => Of<T>(
        device, operands.Query, operands.Key, operands.Value, operands.GradOutput, operands.Options, format);

    /// <summary>The largest difference.</summary>
    public static double LargestError(double[] actual, double[] expected) =>
        actual.Zip(expected, (a, e) => Math.Abs(a - e)).Aggregate(0.0, Math.Max);

    private static double[][] Of<T>(
        ComputeDevice device,
        ReferenceMap queries,
        ReferenceMap keys,
        ReferenceMap values,
        ReferenceMap gradients,
        WindowAttentionOptions options,
        MemoryFormat format)
        where T : unmanaged
    {
        using var query = queries.ToTensor<T>(device, format);
        using var key = keys.ToTensor<T>(device, format);
        using var value = values.ToTensor<T>(device, format);
        using var gradOutput = gradients.ToTensor<T>(device, format);
        using var output = WindowAttention.Forward(query, key, value, options, out var context);
        using (context)
        {
            using var results = WindowAttention.Backward(context, gradOutput);
            return
            [
                Compare.Values(output), Compare.Values(results.Query!), Compare.Values(results.Key!),
                Compare.Values(results.Value!),
            ];
        }
    }
}
