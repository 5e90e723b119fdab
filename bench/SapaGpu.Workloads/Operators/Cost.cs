namespace SapaGpu.Workloads;

/// <summary>What an operator has to do at least, however it is written.</summary>
/// <param name="Operations">Additions and multiplications.</param>
/// <param name="Bytes">Bytes: every input is read once and every output written once.</param>
internal readonly record struct Cost(double Operations, double Bytes)
{
    // Two multiply-adds along each axis, where the rows are shared by two; nearest only copies.
    private const double BilinearOperations = 6;

    // Four multiply-adds sample a channel at a point, one uses the sample.
    private const double PointOperations = 10;

    /// <summary>Adds what is done one after the other.</summary>
    public static Cost operator +(Cost a, Cost b) => new(a.Operations + b.Operations, a.Bytes + b.Bytes);

    /// <summary>The time that the limits of a machine allow, and the limit that binds.</summary>
    public (double Seconds, Limit Limit) Floor(DeviceLimits limits)
    {
        double arithmetic = Operations / (limits.FmaGflops * 1e9);
        double copy = Bytes / (limits.CopyGBps * 1e9);
        return arithmetic > copy ? (arithmetic, Limit.Fma) : (copy, Limit.Copy);
    }

    /// <summary>All stages of a workload, one after the other.</summary>
    public static Cost Of(Operator kind, Pass pass, Workload workload, ElementType elementType) =>
        workload.Stages.Aggregate(default(Cost), (sum, stage) => sum + Of(kind, pass, stage, elementType.Size()));

    /// <summary>One stage, with elements of a number of bytes.</summary>
    public static Cost Of(Operator kind, Pass pass, Stage stage, int size)
    {
        bool isForward = pass == Pass.Forward;
        return kind switch
        {
            Operator.WindowAttention => isForward ? AttentionForward(stage, size) : AttentionBackward(stage, size),
            Operator.CrossAttention => Cross(stage, isForward, size),
            Operator.SapaI => SapaInnerProduct(stage, isForward, size),
            Operator.SapaB => isForward ? SapaForward(stage, size) : SapaBackward(stage, size),
            Operator.SapaG => SapaGated(stage, isForward, size),
            Operator.SapaD => isForward ? SapaDeformableForward(stage, size) : SapaDeformableBackward(stage, size),
            Operator.Deformable => isForward ? DeformableForward(stage, size) : DeformableBackward(stage, size),
            Operator.Carafe => isForward ? ReassemblyForward(stage, size) : ReassemblyBackward(stage, size),
            Operator.CarafeModule => isForward ? CarafeForward(stage, size) : CarafeBackward(stage, size),
            Operator.Bilinear => Interpolation(stage, size, BilinearOperations),
            _ => Interpolation(stage, size, operations: 0),
        };
    }

    /// <summary>Window attention, forward: scores and sums over every window.</summary>
    public static Cost AttentionForward(Stage stage, int size) => new(
        Taps(stage) * 2.0 * (stage.Embedding + stage.Channels), size * (Inputs(stage) + Output(stage)));

    /// <summary>Its backward: scores again, gradients of the weights, of query, key and value.</summary>
    public static Cost AttentionBackward(Stage stage, int size) => new(
        Taps(stage) * 2.0 * (3.0 * stage.Embedding + 2.0 * stage.Channels),
        size * (2.0 * Inputs(stage) + Output(stage)));

    /// <summary>
    /// Cross-resolution attention: scores and sums over what every query sees; backward the scores again, and the gradients.
    /// </summary>
    public static Cost Cross(Stage stage, bool isForward, int size)
    {
        double pairs = (double)stage.Batch * Seen(stage.Ranges.Rows) * Seen(stage.Ranges.Columns);
        double passes = isForward ? stage.Embedding + stage.Channels : 3.0 * stage.Embedding + 2.0 * stage.Channels;
        return new Cost(pairs * 2.0 * passes, size * ((isForward ? 1.0 : 2.0) * Inputs(stage) + Output(stage)));
    }

    /// <summary>SAPA-B, forward: projections of both maps, then the attention.</summary>
    public static Cost SapaForward(Stage stage, int size) => new(
        Projections(stage) + AttentionForward(stage, size).Operations,
        size * (Features(stage) + Output(stage)));

    /// <summary>Its backward: two products for every projection, of its input and of its weight.</summary>
    public static Cost SapaBackward(Stage stage, int size) => new(
        2.0 * Projections(stage) + AttentionBackward(stage, size).Operations,
        size * (2.0 * Features(stage) + Output(stage)));

    /// <summary>SAPA-I: the attention of the features themselves; normalisation is not counted.</summary>
    public static Cost SapaInnerProduct(Stage stage, bool isForward, int size)
    {
        var features = stage with { EncoderChannels = stage.Channels, Embedding = stage.Channels };
        return new Cost(
            (isForward ? AttentionForward(features, size) : AttentionBackward(features, size)).Operations,
            size * ((isForward ? 1.0 : 2.0) * Features(features) + Output(features)));
    }

    /// <summary>
    /// SAPA-G: as SAPA-B, with one more projection of the decoder map, a gate and the mixture of two queries.
    /// </summary>
    public static Cost SapaGated(Stage stage, bool isForward, int size)
    {
        double passes = isForward ? 1.0 : 2.0;
        double extra =
            2.0 * Cells(stage) * stage.Channels * (stage.Embedding + 1) + 3.0 * Queries(stage) * stage.Embedding;
        var bilinear = isForward ? SapaForward(stage, size) : SapaBackward(stage, size);
        return bilinear with { Operations = bilinear.Operations + passes * extra };
    }

    /// <summary>Deformable attention, forward: scores and sums over every point.</summary>
    public static Cost DeformableForward(Stage stage, int size) => new(
        PointOperations * Queries(stage) * DeformableStage.Points * (stage.Embedding + stage.Channels),
        size * (Inputs(stage) + Offsets(stage) + Output(stage)));

    /// <summary>
    /// Its backward: scores again, gradients of the weights, of query, key and value, and both of the offsets.
    /// </summary>
    public static Cost DeformableBackward(Stage stage, int size) => new(
        PointOperations * Queries(stage) * DeformableStage.Points * (4.0 * stage.Embedding + 3.0 * stage.Channels),
        size * (2.0 * (Inputs(stage) + Offsets(stage)) + Output(stage)));

    /// <summary>SAPA-D, forward: projections of both maps, then the deformable attention.</summary>
    public static Cost SapaDeformableForward(Stage stage, int size) => new(
        DeformableProjections(stage) + DeformableForward(stage, size).Operations,
        size * (Features(stage) + Output(stage)));

    /// <summary>Its backward.</summary>
    public static Cost SapaDeformableBackward(Stage stage, int size) => new(
        2.0 * DeformableProjections(stage) + DeformableBackward(stage, size).Operations,
        size * (2.0 * Features(stage) + Output(stage)));

    /// <summary>CARAFE with the prediction of its kernels, forward.</summary>
    public static Cost CarafeForward(Stage stage, int size) => new(
        CarafePrediction(stage) + ReassemblyForward(stage, size).Operations,
        size * (Cells(stage) * stage.Channels + Output(stage)));

    /// <summary>Its backward.</summary>
    public static Cost CarafeBackward(Stage stage, int size) => new(
        2.0 * CarafePrediction(stage) + ReassemblyBackward(stage, size).Operations,
        size * (2.0 * Cells(stage) * stage.Channels + Output(stage)));

    /// <summary>Reassembly by given weights, forward.</summary>
    public static Cost ReassemblyForward(Stage stage, int size) => new(
        Taps(stage) * 2.0 * stage.Channels, size * (Taps(stage) + Cells(stage) * stage.Channels + Output(stage)));

    /// <summary>Its backward: gradients of weights and value.</summary>
    public static Cost ReassemblyBackward(Stage stage, int size) => new(
        Taps(stage) * 4.0 * stage.Channels,
        size * (2.0 * Taps(stage) + 2.0 * Cells(stage) * stage.Channels + Output(stage)));

    /// <summary>Interpolation, forward or backward, with a number of operations for every output value.</summary>
    public static Cost Interpolation(Stage stage, int size, double operations) =>
        new(operations * Output(stage), size * (Cells(stage) * stage.Channels + Output(stage)));

    private static double Seen(AxisRanges axis) =>
        Enumerable.Range(0, axis.Outputs).Sum(output => (double)axis[output].End - axis[output].First);

    private static double Cells(Stage stage) => (double)stage.Batch * stage.Height * stage.Width;

    private static double Queries(Stage stage) => Cells(stage) * stage.Scale * stage.Scale;

    private static double Taps(Stage stage) => Queries(stage) * stage.Window * stage.Window;

    private static double Inputs(Stage stage) =>
        Queries(stage) * stage.Embedding + Cells(stage) * (stage.Embedding + stage.Channels);

    private static double Output(Stage stage) => Queries(stage) * stage.Channels;

    private static double Features(Stage stage) =>
        Queries(stage) * stage.EncoderChannels + Cells(stage) * stage.Channels;

    private static double Projections(Stage stage) =>
        2.0 * stage.Embedding * (Queries(stage) * stage.EncoderChannels + Cells(stage) * stage.Channels);

    private static double Offsets(Stage stage) => Queries(stage) * DeformableStage.Groups * DeformableStage.Points * 2;

    // The offsets of all points of a cell are one projection of the cell.
    private static double DeformableProjections(
        Stage stage) => Projections(stage) + 2.0 * stage.Channels * Offsets(stage);

    private static double CarafePrediction(Stage stage)
    {
        const double Compressed = 64;
        const double EncoderTaps = 9;
        return 2.0 * Compressed * (Cells(stage) * stage.Channels + EncoderTaps * Taps(stage));
    }
}

/// <summary>What bounds the time of an operator.</summary>
internal enum Limit
{
    /// <summary>Multiply-adds in registers.</summary>
    Fma,

    /// <summary>A copy of memory.</summary>
    Copy,
}
