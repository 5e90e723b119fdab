using System.CommandLine;
using SapaGpu.Cli.Images;
using SapaGpu.Onnx;

namespace SapaGpu.Cli.Commands;

/// <summary><c>sapagpu export</c>: writes the module of a checkpoint as an ONNX file.</summary>
internal static class ExportCommand
{
    private static readonly Dictionary<string, ExportedModule> Modules = new()
    {
        ["sapa-i"] = new(ModuleKind.Sapa, Similarity.InnerProduct),
        ["sapa-b"] = new(ModuleKind.Sapa, Similarity.Bilinear),
        ["sapa-g"] = new(ModuleKind.Sapa, Similarity.GatedBilinear),
        ["sapa-cat"] = new(ModuleKind.Sapa, Similarity.Concatenated),
        ["sapa-d"] = new(ModuleKind.Deformable),
        ["carafe"] = new(ModuleKind.Carafe),
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
        var module = Modules[request.Module];
        request.Check(module.Kind);
        if (InputFile.IsStandardInput(request.Checkpoint))
            throw new ArgumentException("--checkpoint -: checkpoints are not read from standard input; name a file.");
        if (!OutputFile.IsStream(request.Output) && Path.GetFullPath(request.Output) == Path.GetFullPath(request.Checkpoint))
            throw new ArgumentException("--output is the checkpoint, which would be lost; name another file.");
        using var file = new OutputFile(request.Output, ".onnx");
        using var device = ComputeDevice.Open("cpu");
        var shapes = new CheckpointShapes(request.Checkpoint, request.Prefix ?? string.Empty, request.Module, module);
        var model = request.IsNarrow
            ? Export<Half>(request, module, shapes, device)
            : Export<float>(request, module, shapes, device);
        var bytes = model.ToArray();
        File.WriteAllBytes(file.TemporaryPath, bytes);
        file.Commit();
        if (!OutputFile.IsStandardOutput(request.Output))
            Terminal.WriteLine(Console.Out, $"{request.Output}: {request.Module}, {bytes.Length:N0} bytes");
        return ExitCode.Success;
    }

    private static OnnxModel Export<T>(
        ExportRequest request, ExportedModule module, CheckpointShapes shapes, ComputeDevice device)
        where T : unmanaged
    {
        switch (module.Kind)
        {
            case ModuleKind.Sapa:
                using (var sapa = new SapaUpsampler<T>(device, shapes.Sapa(module.Similarity, request)))
                {
                    sapa.Load(shapes.State);
                    return OnnxModel.Export(sapa, new OnnxExportOptions { Ratio = request.Ratio ?? OnnxRatio.Any });
                }
            case ModuleKind.Deformable:
                using (var deformable = new SapaDeformableUpsampler<T>(device, shapes.Deformable(request)))
                {
                    deformable.Load(shapes.State);
                    return OnnxModel.Export(deformable);
                }
            default:
                using (var carafe = new CarafeUpsampler<T>(device, shapes.Carafe(request)))
                {
                    carafe.Load(shapes.State);
                    return OnnxModel.Export(carafe);
                }
        }
    }
}
