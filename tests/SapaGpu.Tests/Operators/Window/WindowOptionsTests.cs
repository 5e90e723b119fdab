using NUnit.Framework;
using SapaGpu.Tests.Grids;

namespace SapaGpu.Tests.Operators;

/// <summary>
/// Window attention with every border, normalisation, ratio and division into heads against the reference, on every
/// device, in both formats and precisions.
/// </summary>
[TestFixture]
public sealed class WindowOptionsTests
{
    [Test]
    [DeviceGrid]
    public void Forward_matches_the_reference(
        [ValueSource(typeof(TestDevices), nameof(TestDevices.All))] string device,
        [Values] MemoryFormat format,
        [Values] BorderRule border)
    {
        var opened = TestDevices.Open(device);
        using (Assert.EnterMultipleScope())
        {
            foreach (var operands in OptionsCases.Small(border).Concat(OptionsCases.Large(border)))
            {
                Forward<float>(opened, operands, format);
                if (RunsDouble(opened, operands))
                    Forward<double>(opened, operands, format);
            }
        }
    }

    [Test]
    [DeviceGrid]
    public void Backward_matches_the_exact_derivatives_of_the_reference(
        [ValueSource(typeof(TestDevices), nameof(TestDevices.All))] string device,
        [Values] MemoryFormat format,
        [Values] BorderRule border)
    {
        var opened = TestDevices.Open(device);
        using (Assert.EnterMultipleScope())
        {
            foreach (var operands in OptionsCases.Small(border))
            {
                Backward<float>(opened, operands, format);
                if (RunsDouble(opened, operands))
                    Backward<double>(opened, operands, format);
            }
        }
    }

    [Test]
    public void Bands_of_a_small_workspace_give_the_same_gradients(
        [Values("cpu", "cuda")] string device, [Values] BorderRule border)
    {
        var options = new WindowAttentionOptions { Window = 3, Border = border };
        var operands = new OptionsCase(new WindowShape(new MapShape(2, 2, 9, 4), 3, 13, 7, 3), options);
        using var whole = TestDevices.OpenAnew(device);
        using var banded = TestDevices.OpenAnew(
            device, new DeviceOptions { WorkspaceBytes = 2 * 9 * 7 * 8 * sizeof(float) });
        var expected = Gradients(whole, operands);
        var actual = Gradients(banded, operands);
        for (int i = 0; i < expected.Length; i++)
            Compare.Bitwise(actual[i], expected[i], $"{device} {operands}, gradient {i}");
    }

    // An OpenCL driver takes a second for a kernel; CUDA runs the same programs in double precision.
    private static bool RunsDouble(ComputeDevice device, OptionsCase operands) =>
        device.Kind != DeviceKind.OpenCL || operands == OptionsCases.Small(operands.Options.Border).First();

    private static float[][] Gradients(ComputeDevice device, OptionsCase operands)
    {
        using var query = operands.Query.ToTensor<float>(device, MemoryFormat.ChannelsLast);
        using var key = operands.Key.ToTensor<float>(device, MemoryFormat.ChannelsLast);
        using var value = operands.Value.ToTensor<float>(device, MemoryFormat.ChannelsLast);
        using var gradOutput = operands.GradOutput.ToTensor<float>(device, MemoryFormat.ChannelsLast);
        using var output = WindowAttention.Forward(query, key, value, operands.Options, out var context);
        using (context)
        {
            using var gradients = WindowAttention.Backward(context, gradOutput);
            return [gradients.Query!.ToArray(), gradients.Key!.ToArray(), gradients.Value!.ToArray()];
        }
    }

    private static void Forward<T>(ComputeDevice device, OptionsCase operands, MemoryFormat format)
        where T : unmanaged
    {
        using var query = operands.Query.ToTensor<T>(device, format);
        using var key = operands.Key.ToTensor<T>(device, format);
        using var value = operands.Value.ToTensor<T>(device, format);
        using var output = WindowAttention.Forward(query, key, value, operands.Options);
        Compare.Forward(output, operands.Output, $"{device} {typeof(T).Name} {format} {operands}");
    }

    private static void Backward<T>(ComputeDevice device, OptionsCase operands, MemoryFormat format)
        where T : unmanaged
    {
        using var query = operands.Query.ToTensor<T>(device, format);
        using var key = operands.Key.ToTensor<T>(device, format);
        using var value = operands.Value.ToTensor<T>(device, format);
        using var gradOutput = operands.GradOutput.ToTensor<T>(device, format);
        using var output = WindowAttention.Forward(query, key, value, operands.Options, out var context);
        using (context)
        {
            using var gradients = WindowAttention.Backward(context, gradOutput);
            string what = $"{device} {typeof(T).Name} {format} {operands}";
            Compare.Forward(output, operands.Output, $"with a context, {what}");
            Compare.Backward(gradients.Query!, operands.Gradient(operands.Query), $"query, {what}");
            Compare.Backward(gradients.Key!, operands.Gradient(operands.Key), $"key, {what}");
            Compare.Backward(gradients.Value!, operands.Gradient(operands.Value), $"value, {what}");
        }
    }
}
