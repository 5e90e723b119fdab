using System.Text.Json;
using SapaGpu.Workloads;
using SapaGpu.Workloads.Npy;

namespace SapaGpu.DeviceBenchmarks;

/// <summary>Operands and results of the operators as files, for another implementation to be compared with.</summary>
internal static class SampleFolder
{
    /// <summary>
    /// Writes, for every stage of every operator, <c>OPERATOR-STAGE/inputs/NAME.npy</c>, <c>gradients/NAME.npy</c>,
    /// <c>grad_output.npy</c> and <c>output.npy</c>, in single precision and computed by the CPU; and the stages of
    /// what is compared and of what is timed, as <c>problem.json</c>.
    /// </summary>
    public static void Write(string folder, IReadOnlyList<Operator> operators, Workload workload, Workload timed)
    {
        Directory.CreateDirectory(folder);
        var problem = new
        {
            Workload = timed.Name,
            Operators = operators,
            DeformableStage.Groups,
            DeformableStage.Points,
            Compared = workload.Stages.Select(Describe),
            Timed = timed.Stages.Select(Describe),
        };
        File.WriteAllText(
            Path.Combine(folder, "problem.json"), JsonSerializer.Serialize(problem, BenchmarkJson.Format));
        using var device = ComputeDevice.Open(DeviceKind.Cpu);
        foreach (var kind in operators)
        {
            for (int i = 0; i < workload.Stages.Count; i++)
            {
                using var run = OperatorRun.Create(
                    kind, device, workload.Stages[i], ElementType.Float32, MemoryFormat.Contiguous);
                Write(Path.Combine(folder, $"{BenchmarkJson.Name(kind)}-{i}"), run.Sample());
            }
        }
    }

    private static object Describe(Stage stage) => new
    {
        stage.Batch,
        stage.Channels,
        stage.Height,
        stage.Width,
        stage.Scale,
        stage.Window,
        stage.Embedding,
        stage.EncoderChannels,
        stage.Heads,
    };

    private static void Write(string folder, OperatorSample sample)
    {
        string inputs = Directory.CreateDirectory(Path.Combine(folder, "inputs")).FullName;
        string gradients = Directory.CreateDirectory(Path.Combine(folder, "gradients")).FullName;
        foreach (var input in sample.Inputs)
            Write(Path.Combine(inputs, $"{input.Name}.npy"), input);
        foreach (var gradient in sample.Gradients)
            Write(Path.Combine(gradients, $"{gradient.Name}.npy"), gradient);
        Write(Path.Combine(folder, "grad_output.npy"), sample.GradOutput);
        Write(Path.Combine(folder, "output.npy"), sample.Output);
    }

    private static void Write(string path, HostArray array) =>
        NpyFile.Write(path, [.. array.Shape], Array.ConvertAll(array.Values, value => (float)value));
}
