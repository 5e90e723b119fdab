using System.Globalization;
using System.Text.Json.Nodes;
using NUnit.Framework;
using SapaGpu.DeviceBenchmarks;
using SapaGpu.Tests.Devices;

namespace SapaGpu.Tests.CodeGeneration;

/// <summary>
/// What window attention executes on a simulated driver that counts: 256 channels of 24×24 cells, ratio 2, K 5, D 64,
/// single precision. It counts PTX; the assembler removes about a third of it.
/// </summary>
public sealed class CountedWorkTests
{
    private const double LanesOfWarp = 32;

    // Instructions of a warp for one multiply-add of the formula; lines of global memory and wavefronts of shared memory
    // for one multiply-add instruction; and those wavefronts over the least that there could be.
    [TestCase("channels_last", "forward", 1, 2.6, 0.60, 1.01)]
    [TestCase("contiguous", "forward", 1, 3.0, 0.75, 1.03)]
    [TestCase("channels_last", "backward", 3, 3.4, 0.76, 1.06)]
    [TestCase("contiguous", "backward", 3, 4.7, 1.40, 1.06)]
    public void Work_stays_within_its_budget(
        string format, string pass, int launches, double instructions, double linesAndWavefronts, double overLeast)
    {
        SimulatedCuda.Require();
        using var folder = new TemporaryFolder();
        string file = Path.Combine(folder.Path, "statistics");
        var (code, output, errors) = ChildProcess.RunDotnet(
            [new("CUDASIM_STATS", file), new("CUDASIM_STATS_EACH", "1"), new("CUDASIM_FMAD", "1")],
            [typeof(MeasureCommand).Assembly.Location, "call", "--device", "cuda", "--format", format, "--pass", pass]);
        Assert.That(code, Is.Zero, output + errors);
        double formula = double.Parse(output, CultureInfo.InvariantCulture) / LanesOfWarp;
        JsonNode[] counts =
        [
            .. File.ReadLines(file).Where(line => line.Length > 0).Select(line => JsonNode.Parse(line)!).TakeLast(launches),
        ];
        Assert.That(counts, Has.Length.EqualTo(launches));
        double lines = Sum("global_load", "lines") + Sum("global_store", "lines");
        double wavefronts = Sum("shared_load", "wavefronts") + Sum("shared_store", "wavefronts");
        double least = Sum("shared_load", "minimum") + Sum("shared_store", "minimum");
        using (Assert.EnterMultipleScope())
        {
            Assert.That(Sum("warp_instructions", "all") / formula, Is.InRange(1, instructions), "instructions");
            Assert.That((lines + wavefronts) / formula, Is.InRange(0.1, linesAndWavefronts), "lines and wavefronts");
            Assert.That(wavefronts / least, Is.InRange(1, overLeast), "wavefronts over the least");
        }

        double Sum(string group, string name) => counts.Sum(count => (double)count[group]![name]!);
    }
}
