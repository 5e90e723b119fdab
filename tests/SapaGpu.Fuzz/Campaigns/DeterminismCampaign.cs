using System.Globalization;
using SapaGpu.Fuzz.Problems;
using SapaGpu.Fuzz.Running;

namespace SapaGpu.Fuzz.Campaigns;

/// <summary>
/// The same bits in repeated calls, on any number of threads, with a workspace for one band or for many, whatever the
/// other images of a batch hold, and in another process.
/// </summary>
internal sealed class DeterminismCampaign(CampaignSettings settings) : Campaign
{
    // A process that starts has to compile what it runs: so many cases are worth it.
    private const int MostInAnotherProcess = 32;
    private const int ChildPatience = 300_000;

    private readonly IReadOnlyList<ComputeDevice> devices =
    [
        Open(new DeviceOptions { Threads = 1 }),
        Open(new DeviceOptions { Threads = 2, WorkspaceBytes = 1 << 10 }),
        Open(new DeviceOptions { Threads = 3, WorkspaceBytes = 1 << 14 }),
        Open(new DeviceOptions { Threads = 7 }),
    ];

    private readonly Dictionary<long, string> hashes = [];

    public override TimeSpan Patience => TimeSpan.FromMinutes(10);

    public override void Run(Case problem)
    {
        var (drawn, type) = Draw(problem);
        var expected = drawn.RunOnce(devices[0], type);
        foreach (var device in devices.Append(devices[^1]))
        {
            ResultBits.RequireSame(drawn.RunOnce(device, type), expected, $"on {device.Options}", firstImage: 0);
            problem.CountCalls(expected.Count);
        }
        if (hashes.Count < MostInAnotherProcess)
            hashes.Add(problem.Number, ResultBits.Hash(expected));
        if (drawn.GradOutput.Shape.Batch == 1)
            return;
        ChangeFirstImage(drawn, type, problem.Draw);
        ResultBits.RequireSame(
            drawn.RunOnce(devices[^1], type).Where(result => IsOfImages(drawn, result)).ToArray(),
            expected.Where(result => IsOfImages(drawn, result)).ToArray(),
            "after another first image",
            firstImage: 1);
    }

    public override void End(Case last)
    {
        if (hashes.Count == 0)
            return;
        using var child = OwnProcess.Start(
            [
                HashesCampaign.Name,
                "--seed", Text(settings.Seed),
                "--first", Text(hashes.Keys.Min()),
                "--cases", Text(hashes.Keys.Max() - hashes.Keys.Min() + 1),
                "--seconds", "3600",
            ],
            redirects: true);
        var output = child.StandardOutput.ReadToEndAsync();
        if (!child.WaitForExit(ChildPatience))
        {
            child.Kill();
            throw new FuzzFailureException("The other process did not end.");
        }
        var lines = output.Result.Split('\n').Select(line => line.Trim()).ToHashSet();
        foreach (var (number, hash) in hashes)
        {
            if (!lines.Contains(HashesCampaign.Line(number, hash)))
                throw new FuzzFailureException($"In another process, the bits are others: {settings.Reproduce(number)}");
        }

        static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
    }

    public override void Dispose()
    {
        foreach (var device in devices)
            device.Dispose();
    }

    /// <summary>The problem of a case, which another process draws as well.</summary>
    public static (OperatorProblem Problem, ElementType Type) Draw(Case problem) =>
        ProblemCatalogue.Of(problem, ProblemCatalogue.All, Enum.GetValues<ElementType>());

    private static ComputeDevice Open(DeviceOptions options) => ComputeDevice.Open(DeviceKind.Cpu, 0, options);

    private static bool IsOfImages(OperatorProblem drawn, Result result) =>
        result.Operand < 0 || !drawn.Operands[result.Operand].IsParameter;

    private static void ChangeFirstImage(OperatorProblem drawn, ElementType type, Draw draw)
    {
        foreach (var operand in drawn.Operands.Where(operand => !operand.IsParameter).Append(drawn.GradOutput))
        {
            int image = operand.Values.Values.Length / operand.Shape.Batch;
            for (int i = 0; i < image; i++)
                operand.Values.Values[i] = draw.Random.NextDouble();
        }
        drawn.RoundTo(type);
    }
}
