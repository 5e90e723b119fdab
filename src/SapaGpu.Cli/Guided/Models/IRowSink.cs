namespace SapaGpu.Cli.Guided.Models;

/// <summary>Receives the rows of a map in the order of its format.</summary>
internal interface IRowSink
{
    /// <summary>Receives a row.</summary>
    /// <param name="channel">The channel; 0 where the channels of a point lie side by side.</param>
    /// <param name="row">The row.</param>
    /// <param name="values">Its values: of one channel, or of all channels of every point.</param>
    void Write(int channel, int row, ReadOnlySpan<double> values);
}
