using SapaGpu.Workloads;
using TorchSharp;

namespace SapaGpu.Benchmarks;

/// <summary>Cross-resolution attention, composed of what libtorch has; key and value stay at the low resolution.</summary>
internal static class CrossFormulas
{
    /// <summary>The attention of a stage.</summary>
    public static torch.Tensor Attention(torch.Tensor query, torch.Tensor key, torch.Tensor value, Stage stage)
    {
        var scaled = query * stage.CrossOptions.ScoreScale;
        return stage.Part > 0 ? Banded(scaled, key, value, stage) : Gathered(scaled, key, value, stage);
    }

    // The windows of all cells gathered, products by einsum.
    private static torch.Tensor Gathered(torch.Tensor query, torch.Tensor key, torch.Tensor value, Stage stage)
    {
        var cells = Cells(stage);
        return OperatorFormulas.Attend(query, Gather(key), Gather(value), stage, stage.Heads);

        torch.Tensor Gather(torch.Tensor map) => map.flatten(2).index_select(2, cells).reshape(
            stage.Batch, stage.Heads, map.shape[1] / stage.Heads, stage.Window * stage.Window, stage.Height, stage.Width);
    }

    // Output rows that see the same cell rows at a time, with a mask over the columns.
    private static torch.Tensor Banded(torch.Tensor query, torch.Tensor key, torch.Tensor value, Stage stage)
    {
        var (rows, columns) = (stage.Ranges.Rows, stage.Ranges.Columns);
        var mask = Mask(columns).to_type(query.dtype);
        var bands = new List<torch.Tensor>();
        for (int row = 0; row < rows.Outputs;)
        {
            int count = 1;
            while (row + count < rows.Outputs && rows[row + count] == rows[row])
                count++;
            var (first, end) = rows[row];
            var queries = query.narrow(2, row, count).reshape(stage.Batch, stage.Heads, -1, count, columns.Outputs);
            var keys = key.narrow(2, first, end - first).reshape(stage.Batch, stage.Heads, -1, end - first, stage.Width);
            var scores = torch.einsum("bhdyx,bhdij->bhyxij", queries, keys) + mask;
            var weights = scores.flatten(4).softmax(-1).mean([1]).reshape(
                stage.Batch, count, columns.Outputs, end - first, stage.Width);
            bands.Add(torch.einsum("byxij,bcij->bcyx", weights, value.narrow(2, first, end - first)));
            row += count;
        }
        return torch.cat(bands, 2);
    }

    // The cells of the windows, moved inside the map, [K²·H·W].
    private static torch.Tensor Cells(Stage stage)
    {
        var rows = stage.Ranges.Rows;
        var columns = stage.Ranges.Columns;
        var cells = new List<long>();
        for (int tap = 0; tap < stage.Window * stage.Window; tap++)
        {
            for (int row = 0; row < stage.Height; row++)
            {
                long cellRow = rows[row * stage.Scale].First + tap / stage.Window;
                for (int column = 0; column < stage.Width; column++)
                    cells.Add(cellRow * stage.Width + columns[column * stage.Scale].First + tap % stage.Window);
            }
        }
        return torch.tensor(cells.ToArray());
    }

    // 0 where an output column sees a cell column, else −∞, [OW, 1, W].
    private static torch.Tensor Mask(AxisRanges columns)
    {
        var mask = new float[columns.Outputs, 1, columns.Cells];
        for (int output = 0; output < columns.Outputs; output++)
        {
            for (int cell = 0; cell < columns.Cells; cell++)
            {
                bool sees = cell >= columns[output].First && cell < columns[output].End;
                mask[output, 0, cell] = sees ? 0 : float.NegativeInfinity;
            }
        }
        return torch.tensor(mask);
    }
}
