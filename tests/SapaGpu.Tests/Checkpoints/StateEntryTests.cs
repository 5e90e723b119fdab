using NUnit.Framework;

namespace SapaGpu.Tests.Checkpoints;

/// <summary>Entries of a checkpoint: rounding, reading, misuse, subsets.</summary>
[TestFixture]
public sealed class StateEntryTests
{
    // The value, and the bits of the nearest number, ties to even.
    [TestCase(0.0, 0x0000)]
    [TestCase(-0.0, 0x8000)]
    [TestCase(1.0, 0x3f80)]
    [TestCase(1.00390625, 0x3f80, TestName = "Half way, down to even")]
    [TestCase(1.01171875, 0x3f82, TestName = "Half way, up to even")]
    [TestCase(1.0039062500000002, 0x3f81, TestName = "Just above half way, less than single precision tells")]
    [TestCase(1.0117187499999998, 0x3f81, TestName = "Just below half way, less than single precision tells")]
    [TestCase(-1.0039062500000002, 0xbf81)]
    [TestCase(3.3895313892515355e38, 0x7f7f, TestName = "The largest")]
    [TestCase(3.3961775292304601e38, 0x7f80, TestName = "Half way to the first that is too large")]
    [TestCase(3.3961775292304596e38, 0x7f7f, TestName = "Just below half way to the first that is too large")]
    [TestCase(1e300, 0x7f80)]
    [TestCase(double.NegativeInfinity, 0xff80)]
    [TestCase(9.183549615799121e-41, 0x0001, TestName = "The smallest")]
    [TestCase(4.591774807899561e-41, 0x0000, TestName = "Half of the smallest, down to even")]
    [TestCase(4.5917748078995616e-41, 0x0001, TestName = "Just above half of the smallest")]
    [TestCase(1e-300, 0x0000)]
    public void BFloat16_is_rounded_once_to_nearest_even(double value, int bits)
    {
        var entry = StateEntry.FromDoubles("x", [1], [value], CheckpointType.BFloat16);
        Assert.That(BitConverter.ToUInt16(entry.Bytes.Span), Is.EqualTo(bits));
    }

    [TestCase(1.00048828125, 0x3c00, TestName = "Half precision: half way, down to even")]
    [TestCase(1.0004882812500002, 0x3c01, TestName = "Half precision: just above half way")]
    [TestCase(1.00146484375, 0x3c02, TestName = "Half precision: half way, up to even")]
    [TestCase(65519.99, 0x7bff)]
    [TestCase(65520.0, 0x7c00)]
    [TestCase(2.9802322387695312e-8, 0x0000)]
    public void Float16_is_rounded_once_to_nearest_even(double value, int bits)
    {
        var entry = StateEntry.FromDoubles("x", [1], [value], CheckpointType.Float16);
        Assert.That(BitConverter.ToUInt16(entry.Bytes.Span), Is.EqualTo(bits));
    }

    [Test]
    public void NaN_stays_NaN([Values(
        CheckpointType.Float64, CheckpointType.Float32, CheckpointType.Float16, CheckpointType.BFloat16)] CheckpointType type)
    {
        var entry = StateEntry.FromDoubles("x", [1], [double.NaN], type);
        Assert.That(entry.ToDoubles(), Is.EqualTo([double.NaN]));
        Assert.That(entry.ToFloats(), Is.EqualTo([float.NaN]));
    }

    [Test]
    public void All_numbers_of_16_bits_are_read_and_written_back(
        [Values(CheckpointType.Float16, CheckpointType.BFloat16, CheckpointType.Int16)] CheckpointType type)
    {
        var bytes = Enumerable.Range(0, 1 << 16).SelectMany(i => BitConverter.GetBytes((ushort)i)).ToArray();
        var entry = new StateEntry("x", [1 << 16], type, bytes);
        var doubles = entry.ToDoubles();
        Assert.That(entry.ToFloats(), Is.EqualTo(doubles.Select(value => (float)value)));
        var written = StateEntry.FromDoubles("x", [1 << 16], doubles, type).Bytes.ToArray();
        for (int i = 0; i < 1 << 16; i++)
        {
            if (!double.IsNaN(doubles[i]))
                Assert.That(BitConverter.ToUInt16(written, 2 * i), Is.EqualTo(i));
        }
    }

    [TestCase(CheckpointType.Int64, long.MinValue, 9.223372036854775807e18)]
    [TestCase(CheckpointType.Int32, int.MinValue, int.MaxValue)]
    [TestCase(CheckpointType.Int16, short.MinValue, short.MaxValue)]
    [TestCase(CheckpointType.Int8, sbyte.MinValue, sbyte.MaxValue)]
    [TestCase(CheckpointType.UInt8, 0, 255)]
    [TestCase(CheckpointType.Bool, 1, 1)]
    public void Whole_numbers_are_clamped(CheckpointType type, double least, double most)
    {
        var entry = StateEntry.FromDoubles("x", [2], [double.NegativeInfinity, double.PositiveInfinity], type);
        Assert.That(entry.ToDoubles(), Is.EqualTo([least, most]));
    }

    [Test]
    public void Whole_numbers_are_rounded_to_even() => Assert.That(
        StateEntry.FromDoubles("x", [4], [-1.5, 0.5, 2.5, 3.5], CheckpointType.Int32).ToDoubles(),
        Is.EqualTo([-2.0, 0, 2, 4]));

    [Test]
    public void Long_numbers_are_rounded_once_to_single_precision()
    {
        var entry = new StateEntry("x", [], CheckpointType.Int64, BitConverter.GetBytes(0x7fffffbfffffffff));
        Assert.That(entry.ToFloats(), Is.EqualTo([(float)0x7fffffbfffffffff]));
    }

    [Test]
    public void Shapes_and_bytes_that_disagree_are_refused()
    {
        Assert.That(
            () => new StateEntry("x", [2, 3], CheckpointType.Float32, new byte[23]),
            Throws.ArgumentException.With.Message.Contains("[2, 3]"));
        Assert.That(() => new StateEntry("x", [-1], CheckpointType.Float32, default), Throws.ArgumentException);
        Assert.That(
            () => new StateEntry("x", [int.MaxValue, int.MaxValue, int.MaxValue], CheckpointType.UInt8, default),
            Throws.ArgumentException);
        Assert.That(
            () => StateEntry.FromDoubles("x", [2], [1], CheckpointType.Float64),
            Throws.ArgumentException.With.Message.Contains("[2]"));
        Assert.That(
            () => StateEntry.FromDoubles("x", [1], [1], (CheckpointType)99),
            Throws.InstanceOf<ArgumentOutOfRangeException>());
    }

    [Test]
    public void The_shape_of_an_entry_cannot_be_changed_from_outside()
    {
        int[] shape = [2, 3];
        var entry = StateEntry.FromDoubles("x", shape, new double[6], CheckpointType.Float64);
        shape[0] = 7;
        Assert.That(entry.Shape, Is.EqualTo([2, 3]));
        Assert.That(entry.Shape, Is.Not.InstanceOf<int[]>());
    }

    [Test]
    public void A_subset_has_the_names_without_the_prefix()
    {
        var state = new StateDict();
        foreach (string name in new[] { "head.up1.q.weight", "head.up10.q", "head.up1.", "head.up1.k.bias", "q" })
            state.Add(StateEntry.FromDoubles(name, [1], [1], CheckpointType.Float32));
        state.Metadata["format"] = "pt";
        var subset = state.Subset("head.up1.");
        Assert.That(subset.Keys, Is.EqualTo(["q.weight", "k.bias"]));
        Assert.That(subset.Values.Select(entry => entry.Name), Is.EqualTo(subset.Keys));
        Assert.That(subset.Metadata, Is.EquivalentTo(state.Metadata));
        Assert.That(state.Subset("absent."), Is.Empty);
    }

    [Test]
    public void A_name_is_added_once()
    {
        var state = new StateDict();
        state.Add(StateEntry.FromDoubles("a", [1], [1], CheckpointType.Float32));
        Assert.That(
            () => state.Add(StateEntry.FromDoubles("a", [1], [1], CheckpointType.Float32)),
            Throws.ArgumentException.With.Message.Contains("'a'"));
        Assert.That(state.TryGetValue("a", out _), Is.True);
        Assert.That(state.TryGetValue("b", out _), Is.False);
        Assert.That(() => state["b"], Throws.TypeOf<KeyNotFoundException>());
    }
}
