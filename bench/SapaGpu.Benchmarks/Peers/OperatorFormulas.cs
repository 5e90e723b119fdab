using SapaGpu.Workloads;
using TorchSharp;
using static TorchSharp.torch.nn;

namespace SapaGpu.Benchmarks;

/// <summary>The operators, composed of what libtorch has; no map is brought to the high resolution.</summary>
internal static class OperatorFormulas
{
    /// <summary>Window attention: both maps unfolded, products by einsum.</summary>
    public static torch.Tensor Attention(
        torch.Tensor query, torch.Tensor key, torch.Tensor value, Stage stage, int heads) =>
        Attend(query, Unfold(key, stage, heads), Unfold(value, stage, heads), stage, heads);

    /// <summary>Attention to windows of key and value, [B, heads, C/heads, K², H, W].</summary>
    public static torch.Tensor Attend(
        torch.Tensor query, torch.Tensor keys, torch.Tensor values, Stage stage, int heads)
    {
        var queries = query.reshape(
            stage.Batch, heads, query.shape[1] / heads, stage.Height, stage.Scale, stage.Width, stage.Scale);
        var weights = torch.einsum("bhdysxt,bhdkyx->bhkysxt", queries, keys).softmax(2);
        return Sum(weights, values, stage);
    }

    /// <summary>Reassembly by given weights.</summary>
    public static torch.Tensor Reassembly(torch.Tensor weights, torch.Tensor value, Stage stage) => Sum(
        weights.reshape(
            stage.Batch, 1, stage.Window * stage.Window, stage.Height, stage.Scale, stage.Width, stage.Scale),
        Unfold(value, stage, heads: 1),
        stage);

    /// <summary>Attention over points: both maps sampled, products by einsum.</summary>
    public static torch.Tensor Deformable(
        torch.Tensor query, torch.Tensor key, torch.Tensor value, torch.Tensor offsets, Stage stage)
    {
        const int Groups = DeformableStage.Groups;
        var grid = Grid(offsets, stage);
        var queries = query.reshape(stage.Batch * Groups, -1, stage.Height * stage.Scale, stage.Width * stage.Scale);
        var weights = torch.einsum("bdyx,bdpyx->bpyx", queries, Sample(key)).softmax(1);
        return torch.einsum("bpyx,bcpyx->bcyx", weights, Sample(value)).reshape(
            stage.Batch, stage.Channels, stage.Height * stage.Scale, stage.Width * stage.Scale);

        // Places need more digits than 16-bit types have, and libtorch asks for maps of the same type.
        torch.Tensor Sample(torch.Tensor map) => functional.grid_sample(
            map.reshape(stage.Batch * Groups, -1, stage.Height, stage.Width).to_type(grid.dtype),
            grid,
            torch.GridSampleMode.Bilinear,
            torch.GridSamplePaddingMode.Zeros,
            align_corners: true)
            .to_type(map.dtype)
            .reshape(
                stage.Batch * Groups,
                -1,
                DeformableStage.Points,
                stage.Height * stage.Scale,
                stage.Width * stage.Scale);
    }

    // [B, heads, C/heads, K², H, W]
    private static torch.Tensor Unfold(torch.Tensor map, Stage stage, int heads) =>
        functional.unfold(map, stage.Window, padding: stage.Window / 2).reshape(
            stage.Batch, heads, map.shape[1] / heads, stage.Window * stage.Window, stage.Height, stage.Width);

    private static torch.Tensor Sum(torch.Tensor weights, torch.Tensor values, Stage stage) =>
        torch.einsum("bhkysxt,bhckyx->bhcysxt", weights, values).reshape(
            stage.Batch, stage.Channels, stage.Height * stage.Scale, stage.Width * stage.Scale);

    // Places from -1 to 1 in the map, [B·G, P·OH, OW, 2].
    private static torch.Tensor Grid(torch.Tensor offsets, Stage stage)
    {
        var type = offsets.dtype == torch.ScalarType.Float64 ? torch.ScalarType.Float64 : torch.ScalarType.Float32;
        int height = stage.Height * stage.Scale;
        int width = stage.Width * stage.Scale;
        var moved = offsets.to_type(type).reshape(-1, DeformableStage.Points, 2, height, width).permute(0, 1, 3, 4, 2);
        var rows = torch.arange(height).floor_divide(stage.Scale).to_type(type).reshape(height, 1);
        var columns = torch.arange(width).floor_divide(stage.Scale).to_type(type).reshape(1, width);
        var cells = torch.stack([columns.expand(height, width), rows.expand(height, width)], -1);
        var extent = torch.tensor(new[] { stage.Width - 1.0, stage.Height - 1.0 }).to_type(type);
        return ((moved + cells) * 2 / extent - 1).reshape(-1, DeformableStage.Points * height, width, 2);
    }
}
