using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;
using NUnit.Framework;
using SapaGpu.Tests;

namespace SapaGpu.Onnx.Tests;

/// <summary>Files that PyTorch wrote of the modules in sapagpu.torch, in ONNX Runtime with the operators of the library.</summary>
[TestFixture]
internal sealed class TorchExportTests
{
    private const int NoPackage = 3;

    // Exports modules at one size, and writes maps of another size and what the module makes of them.
    private const string Exporter =
        """
        import sys, warnings
        try:
            import torch, sapagpu.torch as st
        except ImportError as error:
            sys.exit(3)
        warnings.filterwarnings("ignore")
        torch.manual_seed(4)
        folder = sys.argv[1]
        similarities = "inner_product", "bilinear", "gated_bilinear", "concatenated"
        modules = {name: st.SapaUpsampler(6, 6, similarity=name, kernel_size=3, border="masked") for name in similarities}
        modules["group"] = st.SapaUpsampler(6, 6, feature_norm="group", norm_groups=3, normalisation="sigmoid")
        modules["carafe"] = st.CarafeUpsampler(6, kernel_size=3, groups=2, compressed_channels=5)
        modules["naf"] = st.NafUpsampler(channels=16, heads=2, rotary_heads=2, kernel_size=3, blocks=1, norm_groups=4)
        modules["anyup"] = st.AnyUpUpsampler(channels=8, heads=2, feature_kernel=3, feature_kernels=12, norm_groups=4)
        modules["anyup_whole"] = st.AnyUpUpsampler(channels=8, heads=2, feature_kernels=8, norm_groups=4, window_ratio=0)
        for name in "naf", "anyup", "anyup_whole":
            module = modules.pop(name).eval()
            operands = torch.rand(2, 3, 12, 10), torch.randn(2, 6, 6, 5)
            torch.onnx.export(module, operands, f"{folder}/{name}.onnx", opset_version=17, input_names=["image", "features"])
            with torch.no_grad():
                operands += (module(*operands),)
            for i, operand in enumerate(operands):
                operand.contiguous().numpy().tofile(f"{folder}/{name}.{i}")
        for name, module in modules.items():
            for parameter in module.parameters():
                parameter.data += torch.randn(parameter.shape) / 3
            inputs = ["decoder"] if name == "carafe" else ["encoder", "decoder"]
            def maps(batch, height, width):
                small = torch.randn(batch, 6, height, width)
                return (small,) if name == "carafe" else (torch.randn(batch, 6, 2 * height, 2 * width), small)
            torch.onnx.export(
                module.eval(), maps(1, 3, 4), f"{folder}/{name}.onnx", opset_version=17, input_names=inputs,
                dynamic_axes={input: {0: f"{input}_batch", 2: f"{input}_height", 3: f"{input}_width"} for input in inputs})
            operands = maps(2, 6, 5)
            with torch.no_grad():
                operands += (module(*operands),)
            for i, operand in enumerate(operands):
                operand.contiguous().numpy().tofile(f"{folder}/{name}.{i}")
        """;

    [Test]
    public void Modules_of_python_run_in_the_kernel()
    {
        using var folder = new TemporaryFolder();
        Export(folder.Path);
        string[] files = Directory.GetFiles(folder.Path, "*.onnx");
        Assert.That(files, Has.Length.EqualTo(9));
        foreach (string file in files)
        {
            string name = Path.GetFileNameWithoutExtension(file);
            int guideChannels = name is "naf" || name.StartsWith("anyup", StringComparison.Ordinal) ? 3 : 6;
            bool hasGuide = name != "carafe";
            using var decoder = Read(hasGuide ? 1 : 0, 6, 5);
            using var expected = Read(hasGuide ? 2 : 1, 12, 10);
            using var encoder = hasGuide ? Read(0, 12, 10, guideChannels) : null;
            using var run = new OnnxRun(File.ReadAllBytes(file), options => options.AddSapaGpu());
            TestMaps.AreEqual(encoder is null ? run.Run(decoder) : run.Run(encoder, decoder), expected, 5e-5, file);

            FeatureMap<float> Read(int number, int height, int width, int channels = 6) => FeatureMap<float>.From(
                TestMaps.Device,
                new MapShape(2, channels, height, width),
                MemoryMarshal.Cast<byte, float>(File.ReadAllBytes(Path.ChangeExtension(file, $".{number}"))).ToArray());
        }
    }

    private static void Export(string folder)
    {
        var root = new DirectoryInfo(AppContext.BaseDirectory);
        while (root is not null && !Directory.Exists(Path.Combine(root.FullName, "python", "sapagpu")))
            root = root.Parent;
        Assert.That(root, Is.Not.Null, "The tests lie outside the repository.");
        try
        {
            var start = new ProcessStartInfo("/usr/bin/python3", ["-c", Exporter, folder]) { RedirectStandardError = true };
            start.Environment["PYTHONPATH"] = Path.Combine(root!.FullName, "python");
            using var process = Process.Start(start)!;
            string errors = process.StandardError.ReadToEnd();
            process.WaitForExit();
            if (process.ExitCode != NoPackage)
            {
                Assert.That(process.ExitCode, Is.Zero, errors);
                return;
            }
        }
        catch (Win32Exception)
        {
            // There is no such program.
        }
        Assert.Ignore("There is no /usr/bin/python3 with torch and a built library for it.");
    }
}
