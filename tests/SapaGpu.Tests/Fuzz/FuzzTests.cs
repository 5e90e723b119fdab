extern alias Fuzz;

using System.Globalization;
using Fuzz::SapaGpu.Fuzz.Running;
using NUnit.Framework;

namespace SapaGpu.Tests.Fuzz;

/// <summary>
/// The campaigns of SapaGpu.Fuzz, each for some seconds and with a seed that it prints. They take long and are other in
/// every run: only a filter by their category or name runs them.
/// </summary>
[TestFixture]
[Explicit("Other problems in every run; see docs/reliability.md.")]
[Category("Fuzz")]
[NonParallelizable]
public sealed class FuzzTests
{
    private const string SecondsVariable = "SAPAGPU_FUZZ_SECONDS";
    private const double FewSeconds = 5;

    private static IEnumerable<string> Campaigns => CampaignCatalogue.Names;

    [TestCaseSource(nameof(Campaigns))]
    public void No_case_fails(string campaign)
    {
        string? seconds = Environment.GetEnvironmentVariable(SecondsVariable);
        var settings = new CampaignSettings
        {
            Campaign = campaign,
            Seed = Random.Shared.Next(),
            Seconds = seconds is null ? FewSeconds : double.Parse(seconds, CultureInfo.InvariantCulture),
        };
        TestContext.Out.WriteLine(settings.Reproduce(0));
        using var running = CampaignCatalogue.Create(settings);
        using var output = new StringWriter();
        var tally = new CampaignRunner(settings, output, () => Environment.FailFast(output.ToString())).Run(running);
        TestContext.Out.Write(output);
        Assert.That(tally.Problems, Is.Positive);
        Assert.That(tally.Failures, Is.Zero, output.ToString());
    }
}
