using NUnit.Framework;

namespace SapaGpu.Segmentation.Tests;

[TestFixture]
internal sealed class BitmapFontTests
{
    [Test]
    public void Every_capital_digit_and_sign_looks_different()
    {
        var drawings = Enumerable.Range(' ', 64).Select(code => Drawing((char)code)).ToList();
        Assert.That(drawings, Is.Unique);
        Assert.That(drawings.Skip(1), Has.All.Contains("#"));
        Assert.That(Drawing('a'), Is.EqualTo(Drawing('A')));
        Assert.That(Drawing('\u00e9'), Is.EqualTo(Drawing('?')));
    }

    private static string Drawing(char character) => string.Concat(
        Enumerable.Range(0, 35).Select(i => BitmapFont.HasDot(character, i / 5, i % 5) ? '#' : '.'));
}
