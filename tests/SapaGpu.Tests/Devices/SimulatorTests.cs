using NUnit.Framework;

namespace SapaGpu.Tests.Devices;

/// <summary>
/// Kernels on a simulated driver that is asked to look for more than wrong results, or to compute as a GPU does.
/// </summary>
[TestFixture]
public sealed class SimulatorTests
{
    [Test]
    public void Simulated_device_says_so_and_is_never_chosen()
    {
        using var simulated = SimulatedCuda.Open(new DeviceOptions());
        Assert.That(simulated.Info.Details, Does.StartWith("simulated"));
        using var chosen = ComputeDevice.OpenDefault();
        Assert.That(chosen.Kind, Is.Not.EqualTo(DeviceKind.Cuda));
    }

    // A GPU's assembler joins multiplications and additions.
    [Test]
    public void Rounded_products_stay_rounded() =>
        CheckWith("CUDASIM_FMAD", "FullyQualifiedName~Feature_alone_in_its_group&FullyQualifiedName~cuda");

    // Borders that repeat cells add up the weights of all taps, and where a map shrinks some cells have no queries.
    [Test]
    public void Weights_of_repeated_cells_are_read_where_they_were_written() => CheckWith(
        "CUDASIM_INITCHECK",
        "FullyQualifiedName~WindowOptionsTests.Forward&FullyQualifiedName~cuda&FullyQualifiedName~ChannelsLast&FullyQualifiedName~Replicate");

    private static void CheckWith(string variable, string filter)
    {
        SimulatedCuda.Require();

        // A run of no tests is no success.
        var (code, output, errors) = ChildProcess.RunDotnet(
            [new(variable, "1")], typeof(SimulatorTests).Assembly.Location, "--filter", filter);
        Assert.That(code, Is.Zero, output + errors);
    }
}
