using System.Globalization;

namespace SapaGpu.Segmentation;

/// <summary>The runs of an operator with different seeds.</summary>
/// <param name="Operator">The operator.</param>
/// <param name="Runs">Its runs; at least one.</param>
internal sealed record OperatorResults(UpsamplingOperator Operator, IReadOnlyList<RunResult> Runs)
{
    /// <summary>Gets the mean over the runs of the loss in every epoch.</summary>
    public IReadOnlyList<double> Losses =>
        [.. Enumerable.Range(0, Runs[0].Epochs.Count).Select(epoch => Runs.Average(run => run.Epochs[epoch].Loss))];

    /// <summary>The runs by operator.</summary>
    public static IReadOnlyList<OperatorResults> Of(IEnumerable<RunResult> results) =>
    [
        .. results.GroupBy(result => result.Key.Operator)
            .OrderBy(runs => runs.Key)
            .Select(runs => new OperatorResults(runs.Key, [.. runs])),
    ];

    /// <summary>The mean of a number over the runs.</summary>
    public double Mean(Func<RunResult, double> number) => Runs.Average(number);

    /// <summary>The standard deviation of a number over the runs; 0 of a single run.</summary>
    public double Deviation(Func<RunResult, double> number) =>
        Runs.Count > 1 ? Runs.Select(number).ToList().Deviation() : 0;

    /// <summary>Mean and standard deviation; of a single run the number itself.</summary>
    public string Describe(Func<RunResult, double> number) => Runs.Count > 1
        ? string.Create(CultureInfo.InvariantCulture, $"{Mean(number):0.0000} ± {Deviation(number):0.0000}")
        : Mean(number).ToString("0.0000", CultureInfo.InvariantCulture);
}
