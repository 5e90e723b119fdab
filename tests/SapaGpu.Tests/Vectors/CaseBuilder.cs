using System.Text.Json;
using SapaGpu.Maps;
using SapaGpu.Tests.Operators;
using SapaGpu.Workloads.Npy;
using SapaGpu.Workloads.Vectors;

namespace SapaGpu.Tests.Vectors;

/// <summary>
/// Collects the tensors of a case and writes them; maps are stored in the order of the case's operator.
/// </summary>
public sealed class CaseBuilder(string name, bool corruptOutput)
{
    private readonly List<(string Name, string Role, int[] Shape, double[] Values)> tensors = [];
    private readonly List<(string Name, ReferenceMap Map)> differentiable = [];

    public Dictionary<string, object> Parameters { get; } = [];

    /// <summary>The operator that a case name starts with.</summary>
    public static string OpOf(string name) => VectorOperators.Layouts.Keys
        .Where(op => name.StartsWith($"{op}_", StringComparison.Ordinal))
        .MaxBy(op => op.Length)!;

    public void Set(WindowProblem problem)
    {
        Parameters.Add("kernel_size", problem.Window);
        Set(problem.Batch, problem.Height, problem.Width, problem.Scale);
    }

    public void Set(int batch, int height, int width, int scale)
    {
        Parameters.Add("scale", scale);
        Parameters.Add("batch", batch);
        Parameters.Add("height", height);
        Parameters.Add("width", width);
    }

    public void Add(string tensor, string role, ReferenceMap map, int[]? shape = null)
    {
        AddMap(tensor, role, map.Shape, map.ToArray(), shape);
        differentiable.Add((tensor, map));
    }

    /// <summary>Adds a parameter with its dimensions in a state_dict.</summary>
    public void AddParameter(string tensor, ReferenceMap map, IReadOnlyList<int> shape)
    {
        tensors.Add((tensor, "parameter", [.. shape], map.ToArray()));
        differentiable.Add((tensor, map));
    }

    /// <summary>Adds the output and the gradient of every input and parameter.</summary>
    public void Finish(Func<ReferenceMap> forward, ReferenceMap gradOutput, int[]? shape = null)
    {
        var output = forward();
        var values = output.ToArray();
        if (corruptOutput)
            values[^1] += 0.01;
        AddMap("out", "output", output.Shape, values, shape);
        AddMap("grad_out", "upstream_grad", gradOutput.Shape, gradOutput.ToArray(), shape);
        foreach (var (input, map) in differentiable)
        {
            var gradient = Reference.Gradient(forward, map, gradOutput);
            var (_, role, inputShape, _) = tensors.First(t => t.Name == input);
            if (role == "parameter")
                tensors.Add(($"grad_{input}", "grad", inputShape, gradient));
            else
                AddMap($"grad_{input}", "grad", map.Shape, gradient, inputShape);
        }
    }

    public void Write(string folder)
    {
        Directory.CreateDirectory(folder);
        foreach (var (tensor, _, shape, values) in tensors)
            NpyFile.Write(Path.Combine(folder, $"{tensor}.npy"), shape, values);
        var file = new
        {
            Format = "sapagpu-vectors-1",
            Name = name,
            Op = OpOf(name),
            Params = Parameters,
            Tensors = tensors.Select(t => new
            {
                t.Name,
                File = $"{t.Name}.npy",
                t.Role,
                t.Shape,
                MaxAbs = t.Values.Max(Math.Abs),
                Float32Error = 0.0,
            }),
        };
        File.WriteAllText(
            Path.Combine(folder, "case.json"), JsonSerializer.Serialize(file, VectorJson.Options) + "\n");
    }

    // Values per group and point have one more dimension, which is given.
    private void AddMap(string tensor, string role, MapShape shape, double[] contiguous, int[]? stored)
    {
        bool channelsLast = VectorOperators.Layouts[OpOf(name)] == VectorLayout.ChannelsLast;
        int[] own = channelsLast
            ? [shape.Batch, shape.Height, shape.Width, shape.Channels]
            : [shape.Batch, shape.Channels, shape.Height, shape.Width];
        var format = channelsLast ? MemoryFormat.ChannelsLast : MemoryFormat.Contiguous;
        tensors.Add((
            tensor,
            role,
            stored ?? own,
            MapLayout.Reorder(contiguous, shape, MemoryFormat.Contiguous, format)));
    }
}
