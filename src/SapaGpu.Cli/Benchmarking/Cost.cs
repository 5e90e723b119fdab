namespace SapaGpu.Cli.Benchmarking;

/// <summary>What an operator has to do at least, however it is written.</summary>
/// <param name="Operations">Additions and multiplications.</param>
/// <param name="Bytes">Bytes: every input is read once and every output written once.</param>
internal readonly record struct Cost(double Operations, double Bytes)
{
    /// <summary>Adds what is done one after the other.</summary>
    public static Cost operator +(Cost a, Cost b) => new(a.Operations + b.Operations, a.Bytes + b.Bytes);

    /// <summary>The time that the limits of a machine allow, and the limit that binds.</summary>
    public (double Seconds, Limit Limit) Floor(DeviceLimits limits)
    {
        double arithmetic = Operations / (limits.FmaGflops * 1e9);
        double copy = Bytes / (limits.CopyGBps * 1e9);
        return arithmetic > copy ? (arithmetic, Limit.Fma) : (copy, Limit.Copy);
    }

    /// <summary>Window attention, forward: scores and sums over every window.</summary>
    public static Cost AttentionForward(Stage stage, int size) => new(
        Taps(stage) * 2.0 * (stage.Embedding + stage.Channels), size * (Inputs(stage) + Output(stage)));

    /// <summary>Its backward: scores again, gradients of the weights, of query, key and value.</summary>
    public static Cost AttentionBackward(Stage stage, int size) => new(
        Taps(stage) * 2.0 * (3.0 * stage.Embedding + 2.0 * stage.Channels),
        size * (2.0 * Inputs(stage) + Output(stage)));

    /// <summary>SAPA-B, forward: projections of both maps, then the attention.</summary>
    public static Cost SapaForward(Stage stage, int size) => new(
        Projections(stage) + AttentionForward(stage, size).Operations,
        size * (Features(stage) + Output(stage)));

    /// <summary>Its backward: two products for every projection, of its input and of its weight.</summary>
    public static Cost SapaBackward(Stage stage, int size) => new(
        2.0 * Projections(stage) + AttentionBackward(stage, size).Operations,
        size * (2.0 * Features(stage) + Output(stage)));

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
}

/// <summary>What bounds the time of an operator.</summary>
internal enum Limit
{
    /// <summary>Multiply-adds in registers.</summary>
    Fma,

    /// <summary>A copy of memory.</summary>
    Copy,
}
