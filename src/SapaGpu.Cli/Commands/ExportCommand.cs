using System.CommandLine;
using SapaGpu.Cli.Images;
using SapaGpu.Onnx;

namespace SapaGpu.Cli.Commands;

/// <summary><c>sapagpu export</c>: writes the module of a checkpoint as an ONNX file.</summary>
internal static class ExportCommand
{
    private const string Carafe = "carafe";

    private static readonly Dictionary<string, Similarity?> Modules = new()
    {
        ["sapa-i"] = Similarity.InnerProduct,
        ["sapa-b"] = Similarity.Bilinear,
        ["sapa-g"] = Similarity.GatedBilinear,
        ["sapa-cat"] = Similarity.Concatenated,
        [Carafe] = null,
    };

    public static Command Create()
    {
        var options = new ExportOptions([.. Modules.Keys]);
        var command = new Command(
            "export",
            "Write the module of a checkpoint as an ONNX file of standard operators, for maps of any size. Channels are those " +
            "of the checkpoint.");
        foreach (var option in options.All)
            command.Options.Add(option);
        command.SetAction(result => Run(options.Read(result)));
        return command;
    }

    private static int Run(ExportRequest request)
    {
        string name = request.Module;
        var similarity = Modules[name];
        request.Check(name == Carafe);
        if (InputFile.IsStandardInput(request.Checkpoint))
            throw new ArgumentException("--checkpoint -: checkpoints are not read from standard input; name a file.");
        if (!OutputFile.IsStream(request.Output) && Path.GetFullPath(request.Output) == Path.GetFullPath(request.Checkpoint))
            throw new ArgumentException("--output is the checkpoint, which would be lost; name another file.");
        using var file = new OutputFile(request.Output, ".onnx");
        using var device = ComputeDevice.Open("cpu");
        var shapes = new CheckpointShapes(request.Checkpoint, request.Prefix ?? string.Empty, name, similarity);
        var model = request.IsNarrow
            ? Export<Half>(request, similarity, shapes, device)
            : Export<float>(request, similarity, shapes, device);
        var bytes = model.ToArray();
        File.WriteAllBytes(file.TemporaryPath, bytes);
        file.Commit();
        if (!OutputFile.IsStandardOutput(request.Output))
            Terminal.WriteLine(Console.Out, $"{request.Output}: {name}, {bytes.Length:N0} bytes");
        return ExitCode.Success;
    }

    private static OnnxModel Export<T>(
        ExportRequest request, Similarity? similarity, CheckpointShapes shapes, ComputeDevice device)
        where T : unmanaged
    {
        if (similarity is { } known)
        {
            using var sapa = new SapaUpsampler<T>(device, shapes.Sapa(known, request));
            sapa.Load(shapes.State);
            return OnnxModel.Export(sapa, new OnnxExportOptions { Ratio = request.Ratio ?? OnnxRatio.Any });
        }
        using var carafe = new CarafeUpsampler<T>(device, shapes.Carafe(request));
        carafe.Load(shapes.State);
        return OnnxModel.Export(carafe);
    }
}
