using NUnit.Framework;
using SapaGpu.Maps;

namespace SapaGpu.Tests.Maps;

/// <summary>Which maps the programs on cell pairs can count in 32 bits; others take the general kernels.</summary>
public sealed class ShortPositionTests
{
    private const int Edge = 1 << 10;

    [TestCase(1, false, true)]
    [TestCase(2, false, false)]
    [TestCase(2, true, true)]
    [TestCase(7, true, true)]
    [TestCase(9, true, false)]
    public void Positions_are_counted_in_elements_or_in_packs_of_four(int images, bool byPacks, bool expected)
    {
        // An image has 2³⁰ elements; two of them end past 2³¹ by their offset.
        var shape = new MapShape(images, Edge, Edge, Edge);
        var layout = MapLayout.Dense(shape, MemoryFormat.ChannelsLast, offset: 4);
        Assert.That(Pack4Layout.HasShortPositions(in layout, shape, byPacks), Is.EqualTo(expected));
    }
}
