using NUnit.Framework;
using SapaGpu.Cli.Images;

namespace SapaGpu.Tests.Guided;

[TestFixture]
internal sealed class CaptionFontTests
{
    [Test]
    public void Every_letter_looks_different_and_has_a_width()
    {
        var letters = Enumerable.Range(CaptionFont.First, CaptionFont.Last - CaptionFont.First + 1).Select(code => (char)code);
        Assert.That(letters.Select(Drawing), Is.Unique);
        Assert.That(letters.Select(letter => CaptionFont.Measure(letter.ToString())), Is.All.InRange(4, 21));
        Assert.That(Drawing('a'), Is.Not.EqualTo(Drawing('A')));
        Assert.That(Drawing('\u00e9'), Is.EqualTo(Drawing('?')));
        Assert.That(CaptionFont.Measure("Wim"), Is.EqualTo("Wim".Sum(letter => CaptionFont.Measure(letter.ToString()))));
    }

    [Test]
    public void Text_beyond_the_edge_is_left_out()
    {
        var image = new Photo(6, 6);
        Assert.That(() => CaptionFont.Draw(image, "WWW", -9, -3, [255, 255, 255]), Throws.Nothing);
        Assert.That(image.Samples, Has.Some.GreaterThan(100));
    }

    private static string Drawing(char letter)
    {
        var image = new Photo(CaptionFont.LineHeight, CaptionFont.CellWidth);
        CaptionFont.Draw(image, letter.ToString(), 0, 0, [255, 255, 255]);
        return Convert.ToHexString(image.Samples) + CaptionFont.Measure(letter.ToString());
    }
}
