namespace SapaGpu.Workloads;

/// <summary>The bytes of what a call hands over, which no implementation can do without.</summary>
internal static class ResultBytes
{
    /// <summary>The output, the gradients, or both; gradients of parameters are too small to count.</summary>
    public static long Of(Operator kind, Stage stage, Call call, ElementType type)
    {
        long output = stage.Shape.OutputShape.ElementCount;
        long count = call switch
        {
            Call.Forward => output,
            Call.Backward => Gradients(kind, stage),
            _ => output + Gradients(kind, stage),
        };
        return count * type.Size();
    }

    private static long Gradients(Operator kind, Stage stage)
    {
        var shape = stage.Shape;
        long value = shape.ValueShape.ElementCount;
        long maps = shape.QueryShape.ElementCount + shape.KeyShape.ElementCount + value;
        return kind switch
        {
            Operator.WindowAttention or Operator.CrossAttention => maps,
            Operator.Deformable => maps + DeformableStage.OffsetShape(stage).ElementCount,
            Operator.SapaI => shape.OutputShape.ElementCount + value,
            Operator.SapaB or Operator.SapaG or Operator.SapaD => stage.EncoderShape.ElementCount + value,
            Operator.Carafe => shape.WeightsShape.ElementCount + value,
            _ => value,
        };
    }
}
