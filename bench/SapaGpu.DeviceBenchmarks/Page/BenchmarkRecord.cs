namespace SapaGpu.DeviceBenchmarks.Page;

/// <summary>A call and its peer in one run.</summary>
/// <param name="Operator">The operator or module.</param>
/// <param name="Workload">What is upsampled.</param>
/// <param name="Pass">Forward, backward or both.</param>
/// <param name="Dtype">The type of the maps.</param>
/// <param name="MemoryFormat">The format of all maps.</param>
/// <param name="MedianMilliseconds">Our median.</param>
/// <param name="PeerMilliseconds">The peer's median; null where it was not measured.</param>
internal sealed record BenchmarkRow(
    string Operator,
    string Workload,
    string Pass,
    string Dtype,
    string MemoryFormat,
    double MedianMilliseconds,
    double? PeerMilliseconds)
{
    /// <summary>Gets how many times as long the peer takes.</summary>
    public double? TimesFaster => PeerMilliseconds / MedianMilliseconds;
}

/// <summary>A run that is kept: what was measured, where, when and by what.</summary>
/// <param name="Device">The name of the processor or GPU.</param>
/// <param name="Date">The day, as 2026-11-27.</param>
/// <param name="Commit">What was measured.</param>
/// <param name="Command">The command that measured it.</param>
/// <param name="Peer">What it is compared with.</param>
/// <param name="Note">What a reader has to know of the run; null if nothing.</param>
/// <param name="Rows">The calls.</param>
internal sealed record BenchmarkRecord(
    string Device,
    string Date,
    string Commit,
    string Command,
    string Peer,
    string? Note,
    IReadOnlyList<BenchmarkRow> Rows);
