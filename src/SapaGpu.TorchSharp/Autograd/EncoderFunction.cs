using SapaGpu.Layers;
using TorchSharp;

namespace SapaGpu.TorchSharp;

/// <summary>
/// The autograd function behind the encoder of the library. Where the gradients are to be differentiated themselves, they are those of
/// the same encoder of torch's operators, which is computed then.
/// </summary>
internal sealed class EncoderFunction : torch.autograd.MultiTensorFunction<EncoderFunction>
{
    private const string CallKey = "call";

    /// <summary>The encoder of torch's operators.</summary>
    /// <param name="parameters">The parameters.</param>
    /// <param name="image">The image in their type.</param>
    /// <param name="features">The features; null where keys do not depend on them.</param>
    public delegate (torch.Tensor Query, torch.Tensor Key) Composition(
        EncoderParameters parameters, torch.Tensor image, torch.Tensor? features);

    /// <inheritdoc/>
    public override string Name => nameof(EncoderFunction);

    /// <summary>Computes queries and keys, recorded by autograd if one of their sources requires a gradient.</summary>
    /// <param name="definition">The encoder.</param>
    /// <param name="parameters">Its parameters, which suit it.</param>
    /// <param name="image">The image in their type.</param>
    /// <param name="features">The features in their type; of any type where keys do not depend on them.</param>
    /// <param name="height">The rows of the queries.</param>
    /// <param name="width">Their columns.</param>
    /// <param name="composition">The same encoder of torch's operators.</param>
    public static (torch.Tensor Query, torch.Tensor Key) Run(
        AttentionEncoder definition,
        EncoderParameters parameters,
        torch.Tensor image,
        torch.Tensor features,
        int height,
        int width,
        Composition composition)
    {
        GradientKeeper.Release();
        image = TensorOperands.Dense(image);
        features = TensorOperands.Dense(features);
        bool[] wanted =
        [
            image.requires_grad,
            definition.ReadsFeatures && features.requires_grad,
            .. definition.Specs.Zip(
                parameters.Values, (spec, value) => value.requires_grad && !definition.WithoutInfluence.Contains(spec.Name)),
        ];
        bool isRecorded = torch.is_grad_enabled() && wanted.Contains(true);
        Trace? trace = new(keeps: isRecorded);
        try
        {
            torch.Tensor query, key;
            using (torch.no_grad())
                (query, key) = LibraryEncoder.Encode(definition, parameters, image, features, height, width, trace);
            if (!isRecorded)
                return (query, key);
            torch.Tensor?[] sources = [image, definition.ReadsFeatures ? features : null, .. parameters.Values];
            var call = new Call(
                definition,
                composition,
                [query, key],
                (TorchMemory.ShapeOf(query), TorchMemory.ShapeOf(key)),
                trace,
                [.. sources.OfType<torch.Tensor>(), LentMemory.Tie(TorchDevices.Of(image.device), trace)],
                wanted);
            trace = null;
            var recorded = apply([call, .. sources.OfType<torch.Tensor>()]);
            return (recorded[0], recorded[1]);
        }
        finally
        {
            trace?.Dispose();
        }
    }

    /// <inheritdoc/>
    public override List<torch.Tensor> forward(torch.autograd.AutogradContext ctx, params object[] vars)
    {
        var call = (Call)vars[0];
        ctx.set_materialize_grads(false);
        ctx.save_for_backward(call.Saved);
        ctx.save_data(CallKey, call with { Outputs = null!, Saved = null! });
        return call.Outputs;
    }

    /// <inheritdoc/>
    public override List<torch.Tensor> backward(torch.autograd.AutogradContext ctx, List<torch.Tensor> grad_outputs)
    {
        GradientKeeper.Release();
        var call = (Call)ctx.get_data(CallKey);
        bool[] ofSources = call.Definition.ReadsFeatures ? call.Wanted : [call.Wanted[0], .. call.Wanted[2..]];
        torch.Tensor?[] gradients;
        try
        {
            using var scope = torch.NewDisposeScope();

            // The last is what keeps the trace.
            var sources = ctx.get_saved_variables().SkipLast(1).ToArray();
            var (query, key) = (Given(grad_outputs[0]), Given(grad_outputs[1]));
            gradients = torch.is_grad_enabled()
                ? Composed(call, sources, query, key, ofSources)
                : Computed(call, sources, query, key);
            foreach (var gradient in gradients)
            {
                if (gradient is not null)
                    GradientKeeper.Keep(gradient);
            }
        }
        catch (Exception error)
        {
            gradients = SapaAutograd.Fail(error, ofSources);
        }
        finally
        {
            foreach (var gradient in grad_outputs)
                gradient?.Dispose();
        }

        // The call itself is the first argument and has no gradient.
        return [null!, .. gradients.Select(gradient => gradient!)];
    }

    private static torch.Tensor? Given(torch.Tensor? gradient) => gradient is { IsInvalid: false } ? gradient : null;

    private static torch.Tensor?[] Computed(Call call, torch.Tensor[] sources, torch.Tensor? query, torch.Tensor? key)
    {
        using var unrecorded = torch.no_grad();
        var gradients = LibraryEncoder.Backward(
            call.Definition, ParametersOf(call, sources), call.Shapes, (query, key), call.Trace, call.Wanted);
        return call.Definition.ReadsFeatures ? gradients : [gradients[0], .. gradients[2..]];
    }

    private static torch.Tensor?[] Composed(
        Call call, torch.Tensor[] sources, torch.Tensor? query, torch.Tensor? key, bool[] wanted)
    {
        var outputs = call.Composition(
            new EncoderParameters(call.Definition.Specs, ParametersOf(call, sources)),
            sources[0],
            call.Definition.ReadsFeatures ? sources[1] : null);
        (torch.Tensor Output, torch.Tensor Gradient)[] known =
        [
            .. query is null ? [] : new[] { (outputs.Query, query) },
            .. key is null ? [] : new[] { (outputs.Key, key) },
        ];
        var computed = torch.autograd.grad(
            [.. known.Select(pair => pair.Output)],
            [.. sources.Where((_, i) => wanted[i])],
            [.. known.Select(pair => pair.Gradient)],
            retain_graph: true,
            create_graph: true,
            allow_unused: true);
        int next = 0;
        return Array.ConvertAll(wanted, isWanted => isWanted ? Given(computed[next++]) : null);
    }

    private static torch.Tensor[] ParametersOf(Call call, torch.Tensor[] sources) =>
        sources[(call.Definition.ReadsFeatures ? 2 : 1)..];

    private sealed record Call(
        AttentionEncoder Definition,
        Composition Composition,
        List<torch.Tensor> Outputs,
        (MapShape Query, MapShape Key) Shapes,
        Trace Trace,
        List<torch.Tensor> Saved,
        bool[] Wanted);
}
