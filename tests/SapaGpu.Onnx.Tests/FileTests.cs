using System.ComponentModel;
using System.Diagnostics;
using NUnit.Framework;
using SapaGpu.Tests;

namespace SapaGpu.Onnx.Tests;

/// <summary>Files on disk, and what ONNX's own checker says about them.</summary>
[TestFixture]
internal sealed class FileTests
{
    private const int NoPackage = 3;

    // Runs every file through the checker, with the inference of shapes; exit code 3 where there is no package onnx.
    private const string Checker =
        """
        import sys
        try:
            import onnx
        except ImportError:
            sys.exit(3)
        for path in sys.argv[1:]:
            onnx.checker.check_model(onnx.load(path), full_check=True)
        """;

    [Test]
    public void Save_writes_the_bytes_of_the_file_and_nothing_else()
    {
        using var folder = new TemporaryFolder();
        var model = OnnxModel.Export(WindowAttentionOptions.Default);
        File.WriteAllText(folder["model.onnx"], "older");
        model.Save(folder["model.onnx"]);
        Assert.That(File.ReadAllBytes(folder["model.onnx"]), Is.EqualTo(model.ToArray()));
        Assert.That(Directory.GetFiles(folder.Path), Has.Length.EqualTo(1));
        Assert.That(() => model.Save(Path.Combine(folder["nowhere"], "model.onnx")), Throws.InstanceOf<IOException>());
        Assert.That(() => model.Save(string.Empty), Throws.ArgumentException);
    }

    [Test]
    public void The_same_module_gives_the_same_bytes()
    {
        using var module = new CarafeUpsampler<float>(TestMaps.Device, new CarafeOptions { Channels = 4 });
        var first = OnnxModel.Export(module).ToArray();
        var second = OnnxModel.Export(module).ToArray();
        Assert.That(second, Is.EqualTo(first));
    }

    [Test]
    public void The_checker_of_onnx_accepts_the_files()
    {
        using var folder = new TemporaryFolder();
        var paths = new List<string>();
        foreach (var ratio in Enum.GetValues<OnnxRatio>())
        {
            var export = new OnnxExportOptions { Ratio = ratio };
            foreach (var border in Enum.GetValues<BorderRule>())
            {
                var attention = new WindowAttentionOptions { Window = 3, Border = border, Heads = 2 };
                Add(OnnxModel.Export(attention, ElementType.Float16, export));
            }
            foreach (var similarity in Enum.GetValues<Similarity>())
            {
                var options = new SapaOptions { EncoderChannels = 4, DecoderChannels = 4, Similarity = similarity };
                using var module = new SapaUpsampler<float>(TestMaps.Device, options);
                Add(OnnxModel.Export(module, export));
            }
        }
        using var carafe = new CarafeUpsampler<float>(TestMaps.Device, new CarafeOptions { Channels = 4 });
        Add(OnnxModel.Export(carafe));
        Add(OnnxModel.Export(new DeformableAttentionOptions { Groups = 2 }, ElementType.Float16));
        foreach (bool hasOwnOffsets in (bool[])[false, true])
        {
            using var deformable = new SapaDeformableUpsampler<float>(TestMaps.Device, new SapaDeformableOptions
            {
                EncoderChannels = 4,
                DecoderChannels = 4,
                HighResolutionOffsets = hasOwnOffsets,
            });
            Add(OnnxModel.Export(deformable));
        }

        foreach (string python in (string[])["python3", "/usr/bin/python3"])
        {
            if (Check(python, paths) is not { ExitCode: not NoPackage } result)
                continue;
            Assert.That(result.ExitCode, Is.Zero, result.Errors);
            return;
        }
        Assert.Ignore("There is no python3 with the package onnx.");

        void Add(OnnxModel model)
        {
            paths.Add(folder[$"{paths.Count}.onnx"]);
            model.Save(paths[^1]);
        }
    }

    private static (int ExitCode, string Errors)? Check(string python, IEnumerable<string> paths)
    {
        try
        {
            var start = new ProcessStartInfo(python, ["-c", Checker, .. paths]) { RedirectStandardError = true };
            using var process = Process.Start(start)!;
            string errors = process.StandardError.ReadToEnd();
            process.WaitForExit();
            return (process.ExitCode, errors);
        }
        catch (Win32Exception)
        {
            // There is no such program.
            return null;
        }
    }
}
