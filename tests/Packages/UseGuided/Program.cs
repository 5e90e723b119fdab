// Labels of 4 by 4 cells to the size of a photo: they follow its edge, which lies inside of cells.
using SapaGpu.Guided;

const int Size = 64;
const int Cells = 4;
const int Edge = 28;
byte[] photo = new byte[Size * Size * 3];
byte[] labels = new byte[Cells * Cells];
byte[] result = new byte[Size * Size];
for (int i = 0; i < Size * Size; i++)
    photo.AsSpan(3 * i, 3).Fill(i % Size < Edge ? (byte)30 : (byte)220);
for (int i = 0; i < labels.Length; i++)
    labels[i] = i % Cells < Cells / 2 ? (byte)1 : (byte)2;
GuidedUpsampler.Upsample(
    new PhotoSpan(photo, Size, Size),
    new MapSpan<byte>(labels, Cells, Cells),
    result.AsSpan(),
    new GuidedOptions { Kind = MapKind.Labels });
int right = Enumerable.Range(0, result.Length).Count(i => result[i] == (i % Size < Edge ? 1 : 2));
Console.WriteLine($"{right} of {result.Length} pixels have the right class");
return right == result.Length ? 0 : 1;
