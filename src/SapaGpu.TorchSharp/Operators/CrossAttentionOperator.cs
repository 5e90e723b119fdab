using TorchSharp;

namespace SapaGpu.TorchSharp;

/// <summary>
/// Cross-resolution attention of query, key and value with a bias of the keys or without; twice differentiable.
/// </summary>
internal sealed class CrossAttentionOperator(WindowRanges ranges, CrossAttentionOptions options) : Operator
{
    // The order of the saved tensors. The gradients of a second backward have that of the output before them.
    private const int Query = 0;
    private const int Key = 1;
    private const int Value = 2;
    private const int Statistics = 3;
    private const int KeyBias = 4;

    /// <inheritdoc/>
    public override bool IsTwiceDifferentiable => true;

    protected override torch.Tensor Forward<T>(IReadOnlyList<torch.Tensor?> inputs, List<torch.Tensor>? saved)
    {
        using var query = TorchMemory.Wrap<T>(inputs[0]!);
        using var key = TorchMemory.Wrap<T>(inputs[1]!);
        using var value = TorchMemory.Wrap<T>(inputs[2]!);
        using var keyBias = WrapRoom<T>(inputs[3]);
        var shapes = CrossAttention.Shapes(query, key, value, ranges, options, keyBias);
        var first = inputs[0]!;
        var result = TorchMemory.Create(shapes.Output, value.Format, first.dtype, first.device);
        using var output = TorchMemory.Wrap<T>(result);
        if (saved is null)
        {
            CrossAttention.Forward(query, key, value, output, ranges, options, keyBias);
            return result;
        }
        var kept = TorchMemory.Create(
            shapes.Statistics, MemoryFormat.Contiguous, TorchTypes.Accumulator(first.dtype), first.device);
        using var statistics = TorchMemory.WrapAccumulator<T>(kept);
        CrossAttention.Forward(query, key, value, output, ranges, options, keyBias, statistics);
        saved.AddRange([first, inputs[1]!, inputs[2]!, kept]);
        if (inputs[3] is { } bias)
            saved.Add(bias);
        return result;
    }

    protected override torch.Tensor?[] Backward<T>(
        IReadOnlyList<torch.Tensor> saved, torch.Tensor gradOutput, IReadOnlyList<bool> wanted)
    {
        using var operands = new SavedOperands<T>(saved, ranges, options);
        torch.Tensor?[] gradients =
        [
            Room(wanted[0], saved[Query]),
            Room(wanted[1], saved[Key]),
            Room(wanted[2], saved[Value]),
            wanted[3] ? Room(true, saved[KeyBias]) : null,
        ];
        using var gradient = TorchMemory.Wrap<T>(gradOutput);
        using var gradQuery = WrapRoom<T>(gradients[0]);
        using var gradKey = WrapRoom<T>(gradients[1]);
        using var gradValue = WrapRoom<T>(gradients[2]);
        using var gradKeyBias = WrapRoom<T>(gradients[3]);
        CrossAttention.Backward(operands.Context, gradient, gradQuery, gradKey, gradValue, gradKeyBias);
        return gradients;
    }

    protected override torch.Tensor?[] DoubleBackward<T>(
        IReadOnlyList<torch.Tensor> saved,
        torch.Tensor gradOutput,
        IReadOnlyList<torch.Tensor?> directions,
        IReadOnlyList<bool> wanted)
    {
        using var operands = new SavedOperands<T>(saved, ranges, options);
        using var gradient = TorchMemory.Wrap<T>(gradOutput);
        using var ofQuery = WrapRoom<T>(directions[0]);
        using var ofKey = WrapRoom<T>(directions[1]);
        using var ofValue = WrapRoom<T>(directions[2]);
        using var ofKeyBias = WrapRoom<T>(directions[3]);
        using var second = CrossAttention.DoubleBackward(
            operands.Context, gradient, ofQuery, ofKey, ofValue, ofKeyBias, Flags(wanted));
        return
        [
            Copy(gradOutput, second.GradOutput),
            Copy(saved[Query], second.Query),
            Copy(saved[Key], second.Key),
            Copy(saved[Value], second.Value),
            null,
            .. saved.Count > KeyBias ? [Copy(saved[KeyBias], second.KeyBias)] : Array.Empty<torch.Tensor?>(),
        ];
    }

    private static Gradients Flags(IReadOnlyList<bool> wanted)
    {
        var flags = Gradients.None;
        Gradients[] sources =
            [Gradients.GradOutput, Gradients.Query, Gradients.Key, Gradients.Value, Gradients.None, Gradients.KeyBias];
        for (int i = 0; i < wanted.Count; i++)
        {
            if (wanted[i])
                flags |= sources[i];
        }
        return flags;
    }

    private static torch.Tensor? Copy<T>(torch.Tensor like, FeatureMap<T>? gradient)
        where T : unmanaged
    {
        if (gradient is null)
            return null;
        var result = TorchMemory.CreateLike(like);
        using var target = TorchMemory.Wrap<T>(result);
        target.CopyFrom(gradient);
        return result;
    }

    // What the forward saved, as the library takes it.
    private sealed class SavedOperands<T> : IDisposable
        where T : unmanaged
    {
        public SavedOperands(IReadOnlyList<torch.Tensor> saved, WindowRanges ranges, CrossAttentionOptions options) =>
            Context = new CrossAttentionContext<T>(
                TorchMemory.Wrap<T>(saved[Query]),
                TorchMemory.Wrap<T>(saved[Key]),
                TorchMemory.Wrap<T>(saved[Value]),
                ranges,
                TorchMemory.WrapAccumulator<T>(saved[Statistics]),
                options,
                saved.Count > KeyBias ? TorchMemory.Wrap<T>(saved[KeyBias]) : null);

        public CrossAttentionContext<T> Context { get; }

        public void Dispose()
        {
            Context.Query.Dispose();
            Context.Key.Dispose();
            Context.Value.Dispose();
            Context.KeyBias?.Dispose();
            Context.Dispose();
        }
    }
}
