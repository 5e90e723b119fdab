using TorchSharp;

namespace SapaGpu.TorchSharp.Tests;

/// <summary>The operators composed of what torch has, for any ratio of the sizes; borders as in the papers.</summary>
internal static class Composition
{
    public static torch.Tensor Attention(
        torch.Tensor query, torch.Tensor key, torch.Tensor value, int window = 5, int heads = 1)
    {
        var weights = Similarity(query, key, window, heads).softmax(2);
        return Reassemble(weights, value, window, heads);
    }

    /// <summary>Cross-resolution attention over ranges without taps outside, by a mask over the whole map.</summary>
    public static torch.Tensor CrossAttention(
        torch.Tensor query,
        torch.Tensor key,
        torch.Tensor value,
        WindowRanges ranges,
        CrossAttentionOptions options,
        torch.Tensor? keyBias = null)
    {
        var (batch, height, width) = (query.shape[0], query.shape[2], query.shape[3]);
        var queries = query.reshape(batch, options.Heads, -1, height * width);
        var keys = key.reshape(batch, options.Heads, -1, key.shape[2] * key.shape[3]);
        var scores = torch.einsum("bhdp,bhdc->bhpc", queries, keys) * options.ScoreScale;
        if (keyBias is not null)
            scores += keyBias.reshape(batch, 1, 1, -1);
        var isSeen = Seen(ranges.Rows).unsqueeze(1).unsqueeze(3) & Seen(ranges.Columns).unsqueeze(0).unsqueeze(2);
        var weights = Weights(scores, isSeen.reshape(height * width, -1), options.Normalisation);
        int groups = options.AveragesHeads ? 1 : options.Heads;
        if (options.AveragesHeads)
            weights = weights.mean([1], keepdim: true);
        var values = value.reshape(batch, groups, -1, value.shape[2] * value.shape[3]);
        return torch.einsum("bgpc,bgec->bgep", weights, values).reshape(batch, -1, height, width);
    }

    // Of scores [B, heads, points, cells].
    private static torch.Tensor Weights(torch.Tensor scores, torch.Tensor isSeen, ScoreNormalisation normalisation)
    {
        var isUnseen = isSeen.logical_not();
        if (normalisation == ScoreNormalisation.Softmax)
            return scores.masked_fill(isUnseen, double.NegativeInfinity).softmax(3);
        if (normalisation == ScoreNormalisation.None)
            return scores.masked_fill(isUnseen, 0);
        var logistic = scores.sigmoid().masked_fill(isUnseen, 0);
        return logistic / logistic.sum(3, keepdim: true);
    }

    /// <summary>Scores, [B, heads, K², OH, OW].</summary>
    public static torch.Tensor Similarity(torch.Tensor query, torch.Tensor key, int window, int heads = 1)
    {
        var (height, width) = (query.shape[2], query.shape[3]);
        var queries = query.reshape(query.shape[0], heads, -1, height, width);
        return torch.einsum("bhdyx,bhdkyx->bhkyx", queries, Windows(key, window, heads, height, width));
    }

    /// <summary>The output for weights [B, heads, K², OH, OW].</summary>
    public static torch.Tensor Reassemble(torch.Tensor weights, torch.Tensor value, int window, int heads = 1)
    {
        var (height, width) = (weights.shape[3], weights.shape[4]);
        return torch.einsum("bhkyx,bhckyx->bhcyx", weights, Windows(value, window, heads, height, width))
            .reshape(value.shape[0], value.shape[1], height, width);
    }

    /// <summary>SAPA-B with the parameters of a module.</summary>
    public static torch.Tensor SapaBilinear(
        SapaUpsample module, torch.Tensor encoder, torch.Tensor decoder) => Attention(
        Linear(module, "q", Norm(module, "norm_y", encoder)),
        Linear(module, "k", Norm(module, "norm_x", decoder)),
        decoder);

    // Whether an output of an axis sees a cell, [N, n].
    private static torch.Tensor Seen(AxisRanges ranges)
    {
        var seen = torch.zeros([ranges.Outputs, ranges.Cells], torch.@bool);
        for (int output = 0; output < ranges.Outputs; output++)
        {
            var (first, end) = ranges[output];
            seen[output, first..end] = true;
        }
        return seen;
    }

    private static torch.Tensor Norm(torch.nn.Module module, string name, torch.Tensor map) =>
        torch.nn.functional.layer_norm(
            map.permute(0, 2, 3, 1),
            [map.shape[1]],
            module.get_parameter($"{name}.weight"),
            module.get_parameter($"{name}.bias"));

    private static torch.Tensor Linear(torch.nn.Module module, string name, torch.Tensor pixels) =>
        torch.nn.functional.linear(
            pixels, module.get_parameter($"{name}.weight")!, module.get_parameter($"{name}.bias")).permute(0, 3, 1, 2);

    // The window of the cell that each point of the output belongs to, [B, heads, C/heads, K², OH, OW].
    private static torch.Tensor Windows(torch.Tensor map, int window, int heads, long height, long width)
    {
        long[] shape = map.shape;
        var windows = torch.nn.functional.unfold(map, window, padding: window / 2)
            .reshape(shape[0], heads, shape[1] / heads, window * window, shape[2], shape[3]);
        var rows = (torch.arange(height) * shape[2]).floor_divide(height);
        var columns = (torch.arange(width) * shape[3]).floor_divide(width);
        return windows.index_select(4, rows).index_select(5, columns);
    }
}
