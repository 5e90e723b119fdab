using System.Text.Json;
using SapaGpu.Cli.Npy;
using SapaGpu.Cli.Vectors;
using SapaGpu.Tests.Operators;

namespace SapaGpu.Tests.Vectors;

/// <summary>Collects the tensors of a case and writes them; maps are stored [B, H, W, C].</summary>
public sealed class CaseBuilder(string name, bool corruptOutput)
{
    private readonly List<(string Name, string Role, int[] Shape, double[] Values)> tensors = [];
    private readonly List<(string Name, ReferenceMap Map)> differentiable = [];

    public Dictionary<string, object> Parameters { get; } = [];

    /// <summary>The operator that a case name starts with.</summary>
    public static string OpOf(string name) =>
        name.StartsWith("sapa_b", StringComparison.Ordinal) ? "sapa_b" : name[..name.IndexOf('_', StringComparison.Ordinal)];

    public void Set(WindowProblem problem)
    {
        Parameters.Add("kernel_size", problem.Window);
        Parameters.Add("scale", problem.Scale);
        Parameters.Add("batch", problem.Batch);
        Parameters.Add("height", problem.Height);
        Parameters.Add("width", problem.Width);
    }

    public void Add(string tensor, string role, ReferenceMap map)
    {
        AddMap(tensor, role, map.Shape, map.ToArray());
        differentiable.Add((tensor, map));
    }

    public void AddParameter(string tensor, ReferenceMap map)
    {
        tensors.Add((tensor, "parameter", ParameterShape(map.Shape), map.ToArray()));
        differentiable.Add((tensor, map));
    }

    /// <summary>Adds the output and the gradient of every input and parameter.</summary>
    public void Finish(Func<ReferenceMap> forward, ReferenceMap gradOutput)
    {
        var output = forward();
        var values = output.ToArray();
        if (corruptOutput)
            values[^1] += 0.01;
        AddMap("out", "output", output.Shape, values);
        AddMap("grad_out", "upstream_grad", gradOutput.Shape, gradOutput.ToArray());
        foreach (var (input, map) in differentiable)
        {
            var gradient = Reference.Gradient(forward, map, gradOutput);
            if (tensors.First(t => t.Name == input).Role == "parameter")
                tensors.Add(($"grad_{input}", "grad", ParameterShape(map.Shape), gradient));
            else
                AddMap($"grad_{input}", "grad", map.Shape, gradient);
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

    private static int[] ParameterShape(TensorShape shape) =>
        shape.Batch == 1 ? [shape.Channels] : [shape.Batch, shape.Channels];

    private void AddMap(string tensor, string role, TensorShape shape, double[] contiguous) => tensors.Add((
        tensor,
        role,
        [shape.Batch, shape.Height, shape.Width, shape.Channels],
        TensorLayout.Reorder(contiguous, shape, MemoryFormat.Contiguous, MemoryFormat.ChannelsLast)));
}
