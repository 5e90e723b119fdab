using System.CommandLine;
using System.Globalization;
using SapaGpu.Fuzz.Campaigns;
using SapaGpu.Fuzz.Running;

const string All = "all";
var campaign = new Argument<string>("campaign")
{
    Description = "What is tested.",
    DefaultValueFactory = _ => All,
};
campaign.AcceptOnlyFromAmong([.. CampaignCatalogue.Names, All, HashesCampaign.Name]);
var seconds = new Option<double>("--seconds")
{
    Description = "How long each campaign runs.",
    DefaultValueFactory = _ => 10,
};
var seed = new Option<long?>("--seed") { Description = "What problems are derived from; without it, another in every run." };
var device = new Option<string>("--device") { Description = "The device.", DefaultValueFactory = _ => "cpu" };
device.AcceptOnlyFromAmong("cpu", "opencl", "cuda");
var only = new Option<long?>("--case") { Description = "Runs only the case of this number." };
var first = new Option<long>("--first") { Description = "The number of the first case." };
var cases = new Option<long>("--cases")
{
    Description = "The most cases of each campaign.",
    DefaultValueFactory = _ => long.MaxValue,
};
var command = new RootCommand("Tests SapaGpu on problems that are drawn at random.")
{
    campaign, seconds, seed, device, only, first, cases,
};
command.SetAction(result =>
{
    string name = result.GetValue(campaign)!;
    var settings = new CampaignSettings
    {
        Campaign = name,
        Seed = result.GetValue(seed) ?? Random.Shared.Next(),
        Seconds = result.GetValue(seconds),
        Device = result.GetValue(device)!,
        First = result.GetValue(only) ?? result.GetValue(first),
        Cases = result.GetValue(only) is null ? result.GetValue(cases) : 1,
    };
    bool isChild = Environment.GetEnvironmentVariable(Progress.Variable) is not null;
    if (!isChild)
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name} --device {settings.Device} --seed {settings.Seed}"));
    int failures = 0;
    var names = name != All ? [name] : settings.IsGpu ? CampaignCatalogue.OnGpus : CampaignCatalogue.Names;
    foreach (string one in names)
    {
        var own = settings with { Campaign = one };

        // A case that is run again may end the process, as it did the first time.
        if (!isChild && name != HashesCampaign.Name && result.GetValue(only) is null)
        {
            failures += IsolatedRun.Failures(own, Console.Out);
            continue;
        }
        using var running = CampaignCatalogue.Create(own);
        failures += new CampaignRunner(own, Console.Out, () => Environment.Exit(ExitCodes.Hang)).Run(running).Failures;
    }
    return failures == 0 ? ExitCodes.Success : ExitCodes.Failure;
});
return command.Parse(args).Invoke();
