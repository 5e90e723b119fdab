using SapaGpu.Cli.Guided.Models;

namespace SapaGpu.Fuzz.Files;

/// <summary>Checkpoints of the models that the tool runs, whose options it finds in their shapes.</summary>
internal static class ModelFiles
{
    public static IEnumerable<SoundFile> All(ComputeDevice device)
    {
        using var naf = new NafUpsampler<float>(device, new NafOptions { Channels = 16, RotaryHeads = 2, Blocks = 1 });
        yield return File("naf.safetensors", naf, UpsamplingModel.Naf);
        using var anyUp = new AnyUpUpsampler<float>(device, new AnyUpOptions { Channels = 8, FeatureKernel = 3, FeatureKernels = 8 });
        yield return File("anyup.safetensors", anyUp, UpsamplingModel.AnyUp);

        SoundFile File(string name, ImageGuidedUpsampler<float> module, UpsamplingModel model)
        {
            using var content = new MemoryStream();
            module.ToStateDict().Save(content);
            return new(
                name,
                content.ToArray(),
                path => LoadedModel.Load(new ModelRequest { Model = model, Checkpoint = path }, device).Dispose())
            {
                // The message of the second says which option does not suit the shapes.
                Refusals = [typeof(InvalidDataException), typeof(ArgumentException)],
            };
        }
    }
}
