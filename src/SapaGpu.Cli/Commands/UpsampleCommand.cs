using System.CommandLine;

namespace SapaGpu.Cli.Commands;

/// <summary><c>sapagpu upsample</c>: upsamples small maps to the size of photos, guided by the photos.</summary>
internal static class UpsampleCommand
{
    public static Command Create()
    {
        var options = new UpsampleOptions();
        var command = new Command(
            "upsample",
            "Upsample a small mask, label map, depth map, image, feature map or the scores of a network to the size of a " +
            "photo, guided by the photo; or many, whose names without folder and extension are those of their photos. " +
            "There are no trained weights: window attention over colour and position is a joint bilateral filter. --model " +
            "upsamples the features of a backbone by NAF or AnyUp instead, with the weights of a checkpoint. The " +
            "defaults depend on the kind of map: labels with --labels, depth with --unknown, a mask if it has two values, " +
            "in one channel or in all alike, otherwise an image; --kind says something else.");
        foreach (var option in options.All)
            command.Options.Add(option);
        command.SetAction((result, cancellation) =>
        {
            var run = new UpsampleRun(options.Read(result), cancellation);
            return Task.Run(run.Run, CancellationToken.None);
        });
        return command;
    }
}
