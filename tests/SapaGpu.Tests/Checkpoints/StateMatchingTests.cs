using NUnit.Framework;
using SapaGpu.Checkpoints;

namespace SapaGpu.Tests.Checkpoints;

/// <summary>The parameters of a module are found in a state, or everything that does not fit is named.</summary>
[TestFixture]
public sealed class StateMatchingTests
{
    private static readonly ExpectedEntry[] Module =
        [new("q.weight", [8, 6]), new("q.bias", [8]), new("k.weight", [8, 6])];

    [Test]
    public void Entries_come_in_the_order_in_which_they_are_expected()
    {
        var match = StateMatching.Match(Module, State(("k.weight", [8, 6]), ("q.bias", [8]), ("q.weight", [8, 6])));
        Assert.That(match.Entries.Select(entry => entry.Name), Is.EqualTo(Module.Select(e => e.Name)));
        Assert.That(match.Report.IsComplete);
    }

    [Test]
    public void A_linear_weight_is_the_weight_of_a_1x1_convolution()
    {
        var convolution = State(("q.weight", [8, 6, 1, 1]), ("q.bias", [8]), ("k.weight", [8, 6, 1]));
        Assert.That(StateMatching.Match(Module, convolution).Entries, Has.Count.EqualTo(3));
        ExpectedEntry[] expected = [new("w", [8, 6, 1, 1]), new("b", [1])];
        Assert.That(StateMatching.Match(expected, State(("w", [8, 6]), ("b", []))).Entries, Has.Count.EqualTo(2));
    }

    [Test]
    public void Other_shapes_are_refused_with_or_without_strict([Values] bool strict)
    {
        int[][] wrong = [[6, 8], [8, 6, 1, 2], [1, 8, 6], [48], [8, 1, 6], [8, 6, 3, 3]];
        foreach (var shape in wrong)
        {
            Assert.That(
                () => StateMatching.Match([Module[0]], State(("q.weight", shape)), strict),
                Throws.TypeOf<StateMismatchException>()
                    .With.Message.Contains($"q.weight is [{string.Join(", ", shape)}] but must be [8, 6]"));
        }
    }

    [Test]
    public void The_message_lists_everything()
    {
        var state = State(("q.weight", [8, 7]), ("q.bias", [9]), ("extra", [1]), ("more\nlines", [2]));
        var expected = Module.Append(new ExpectedEntry("norm.weight", [6])).ToArray();
        var exception = Assert.Throws<StateMismatchException>(() => StateMatching.Match(expected, state));
        Assert.That(exception!.Missing, Is.EqualTo(["k.weight", "norm.weight"]));
        Assert.That(exception.Unexpected, Is.EqualTo(["extra", "more\nlines"]));
        Assert.That(exception.ShapeMismatches, Is.EqualTo(["q.weight", "q.bias"]));
        Assert.That(
            exception.Message,
            Does.Contain("missing: k.weight, norm.weight; unexpected: extra, more lines; different shapes: ").And
                .Contain("q.weight is [8, 7] but must be [8, 6], q.bias is [9] but must be [8]").And.Not.Contain("\n"));
    }

    [Test]
    public void Missing_and_unexpected_names_are_reported_without_strict()
    {
        var match = StateMatching.Match(Module, State(("q.bias", [8]), ("extra", [1])), strict: false);
        Assert.That(match.Entries.Select(entry => entry.Name), Is.EqualTo(["q.bias"]));
        Assert.That(match.Report.Missing, Is.EqualTo(["q.weight", "k.weight"]));
        Assert.That(match.Report.Unexpected, Is.EqualTo(["extra"]));
        Assert.That(match.Report.IsComplete, Is.False);
        Assert.That(match.Report.ToString(), Is.EqualTo("missing: q.weight, k.weight; unexpected: extra"));
    }

    [Test]
    public void A_report_shows_names_on_one_line()
    {
        var match = StateMatching.Match(Module, State(("q.weight", [8, 6]), ("a\u001b[2J\nb", [1])), strict: false);
        Assert.That(match.Report.ToString(), Is.EqualTo("missing: q.bias, k.weight; unexpected: a [2J b"));
        Assert.That(new StateLoadReport([], []).ToString(), Is.EqualTo("missing: none; unexpected: none"));
    }

    [Test]
    public void A_state_with_a_prefix_is_told_apart()
    {
        var state = State(
            ("head.up1.q.weight", [8, 6]),
            ("head.up1.q.bias", [8]),
            ("head.up1.k.weight", [8, 6]),
            ("head.up2.q.weight", [8, 6]));
        Assert.That(
            () => StateMatching.Match(Module, state),
            Throws.TypeOf<StateMismatchException>().With.Message.Contains("Subset(\"head.up1.\")"));
        Assert.That(StateMatching.Match(Module, state.Subset("head.up1.")).Report.IsComplete);
    }

    [Test]
    public void A_prefix_that_no_name_has_is_told_with_the_one_that_all_have()
    {
        var state = State(
            ("module.up.q.weight", [8, 6]), ("module.up.q.bias", [8]), ("module.up.k.weight", [8, 6]), ("module.epoch", [1]));
        Assert.That(
            () => StateMatching.Match(Module, state.Subset("up.")),
            Throws.TypeOf<StateMismatchException>()
                .With.Message.Contains("no name begins with 'up.'").And.Message.Contains("'module.up.'"));

        // A prefix that is too short, too long, or lacks its dot.
        foreach (string prefix in new[] { "module.", "module.up.q.", "module.up" })
        {
            Assert.That(
                () => StateMatching.Match(Module, state.Subset(prefix)),
                Throws.TypeOf<StateMismatchException>().With.Message.Contains("'module.up.'"),
                prefix);
        }
        Assert.That(
            () => StateMatching.Match(Module, state.Subset("module.up.").Subset("absent.")),
            Throws.TypeOf<StateMismatchException>().With.Message.Contains("without a prefix"));
        Assert.That(
            () => StateMatching.Match(Module, State(("other.a", [1]), ("more\n", [1])).Subset("up.")),
            Throws.TypeOf<StateMismatchException>()
                .With.Message.Contains("'other.a', 'more '").And.Message.Not.Contains("\n"));
    }

    [Test]
    public void Several_prefixes_are_all_told()
    {
        var state = State(
            [.. new[] { "teacher.", "student." }.SelectMany(p => Module.Select(e => (p + e.Name, e.Shape.ToArray())))]);
        Assert.That(
            () => StateMatching.Match(Module, state),
            Throws.TypeOf<StateMismatchException>()
                .With.Message.Contains("each of the prefixes 'teacher.', 'student.'"));
    }

    private static StateDict State(params (string Name, int[] Shape)[] entries)
    {
        var state = new StateDict();
        foreach (var (name, shape) in entries)
        {
            int count = shape.Aggregate(1, (product, size) => product * size);
            state.Add(StateEntry.FromDoubles(name, shape, new double[count], CheckpointType.Float32));
        }
        return state;
    }
}
