using CsCheck;
using NUnit.Framework;
using SapaGpu.Tests.Grids;
using SapaGpu.Tests.Maps;

namespace SapaGpu.Tests.Operators;

/// <summary>
/// Random problems with random choices, operands and results being views of larger tensors: the CPU against the
/// reference, and the programs of a GPU against the CPU. A failure names a seed; CsCheck_Seed runs it again.
/// </summary>
[TestFixture]
public sealed class WindowPropertyTests
{
    private static readonly string[] Results =
        ["output", "gradient of the query", "gradient of the key", "gradient of the value"];

    [Test]
    public void The_processor_matches_the_reference(
        [ValueSource(typeof(TestDevices), nameof(TestDevices.Processors))] string device)
    {
        var opened = TestDevices.Open(device);
        Sample(RandomProblem.All, iterations: 100, problem =>
        {
            var operands = problem.ToCase();
            Check(
                0, Run(opened, problem, operands, backward: false)[0], operands.Output.ToArray(), operands.OutputShape);
        });
    }

    [Test]
    [DeviceGrid]
    public void A_graphics_driver_matches_the_processor([Values("opencl", "cuda")] string device)
    {
        // OpenCL takes a second to compile a kernel, so there it is one border and one normalisation.
        var (opened, processor) = (TestDevices.Open(device), TestDevices.Open("cpu"));
        var problems = device == "opencl"
            ? RandomProblem.Of(Gen.Const(BorderRule.Replicate), Gen.Const(ScoreNormalisation.Softmax))
            : RandomProblem.All;
        Sample(
            problems, iterations: device == "opencl" ? 100 : 40, problem => CheckAgainst(processor, opened, problem));
    }

    private static void Sample(Gen<RandomProblem> problems, int iterations, Action<RandomProblem> check) =>
        problems.Sample(check, TestContext.Out.WriteLine, iter: iterations, threads: 1);

    private static void CheckAgainst(ComputeDevice processor, ComputeDevice device, RandomProblem problem)
    {
        var operands = problem.ToCase();
        var expected = Run(processor, problem, operands, backward: true);
        var actual = Run(device, problem, operands, backward: true);
        MapShape[] shapes =
            [operands.OutputShape, operands.Query.Shape, operands.Key.Shape, operands.Value.Shape];
        for (int i = 0; i < shapes.Length; i++)
            Check(i, actual[i], expected[i], shapes[i]);
    }

    private static void Check(int result, double[] actual, double[] expected, MapShape shape)
    {
        if (Compare.Difference<float>(actual, expected, shape, backward: result > 0) is { } difference)
            throw new InvalidOperationException($"{Results[result]}: {difference}");
    }

    // The output and, where it is asked for, the gradients of query, key and value.
    private static double[][] Run(ComputeDevice device, RandomProblem problem, OptionsCase operands, bool backward)
    {
        var (formats, room) = (problem.Formats, problem.Room);
        using var query = new ViewOfTensor(device, operands.Query, formats.Query, room);
        using var key = new ViewOfTensor(device, operands.Key, formats.Key, room);
        using var value = new ViewOfTensor(device, operands.Value, formats.Value, room);
        using var output = new ViewOfTensor(device, operands.OutputShape, formats.Value, room);
        if (!backward)
        {
            WindowAttention.Forward(query.View, key.View, value.View, output.View, operands.Options);
            return [Read(output)];
        }
        using var gradOutput = new ViewOfTensor(device, operands.GradOutput, formats.Query, room);
        using var gradQuery = new ViewOfTensor(device, operands.Query.Shape, formats.Key, room);
        using var gradKey = new ViewOfTensor(device, operands.Key.Shape, formats.Value, room);
        using var gradValue = new ViewOfTensor(device, operands.Value.Shape, formats.Query, room);
        using var context = new WindowAttentionContext<float>(device, operands.Shape, operands.Options);
        WindowAttention.Forward(query.View, key.View, value.View, output.View, operands.Options, context);
        WindowAttention.Backward(context, gradOutput.View, gradQuery.View, gradKey.View, gradValue.View);
        return [Read(output), Read(gradQuery), Read(gradKey), Read(gradValue)];
    }

    private static double[] Read(ViewOfTensor result) => result.IsIntact()
        ? Compare.Values(result.View)
        : throw new InvalidOperationException("Something around a result was written over.");
}
