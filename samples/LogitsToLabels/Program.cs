// The scores of an ONNX model, a cell for 8x8 pixels, to a label for every pixel.
//
//     dotnet run -c Release --project samples/LogitsToLabels -- [photo [model [labels.png]]]
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using SapaGpu;
using SapaGpu.Guided;
using SkiaSharp;

string photoPath = args.ElementAtOrDefault(0) ?? Path.Combine(AppContext.BaseDirectory, "photo.png");
string modelPath = args.ElementAtOrDefault(1) ?? Path.Combine(AppContext.BaseDirectory, "model.onnx");
string labelPath = args.ElementAtOrDefault(2) ?? "labels.png";

// The photo as bytes side by side for SapaGpu, and as planes from 0 to 1 for the model.
using var photo = SKBitmap.Decode(photoPath) ?? throw new InvalidDataException($"{photoPath}: not a readable image.");
int height = photo.Height, width = photo.Width;
byte[] colours = new byte[height * width * 3];
var planes = new DenseTensor<float>([1, 3, height, width]);
for (int y = 0; y < height; y++)
{
    for (int x = 0; x < width; x++)
    {
        var pixel = photo.GetPixel(x, y);
        byte[] samples = [pixel.Red, pixel.Green, pixel.Blue];
        samples.CopyTo(colours, (y * width + x) * 3);
        for (int c = 0; c < 3; c++)
            planes[0, c, y, x] = samples[c] / 255f;
    }
}

using var session = new InferenceSession(modelPath);
using var results = session.Run([NamedOnnxValue.CreateFromTensor(session.InputNames[0], planes)]);
var logits = results[0].AsTensor<float>();
int classes = logits.Dimensions[1], rows = logits.Dimensions[2], columns = logits.Dimensions[3];

// The model gives planes; SapaGpu takes the scores of a cell side by side.
float[] scores = new float[rows * columns * classes];
for (int i = 0; i < scores.Length; i++)
    scores[i] = logits[0, i % classes, i / classes / columns, i / classes % columns];

byte[] labels = new byte[height * width];
using var device = ComputeDevice.OpenDefault();
GuidedUpsampler.UpsampleToClasses(
    new PhotoSpan(colours, height, width),
    new MapSpan<float>(scores, rows, columns, classes),
    labels.AsSpan(),
    new GuidedOptions { Kind = MapKind.Logits, Device = device });

// Labels are grey values; a program that shows them gives them colours.
using var image = new SKBitmap(new SKImageInfo(width, height, SKColorType.Gray8, SKAlphaType.Opaque));
for (int y = 0; y < height; y++)
    labels.AsSpan(y * width, width).CopyTo(image.GetPixelSpan()[(y * image.RowBytes)..]);
using (var file = File.Create(labelPath))
    image.Encode(file, SKEncodedImageFormat.Png, quality: 100);

var shares = labels.CountBy(label => label).OrderBy(pair => pair.Key)
    .Select(pair => $"{pair.Key}: {100.0 * pair.Value / labels.Length:f1} %");
Console.WriteLine($"{labelPath}: {columns}x{rows} scores of {classes} classes to {width}x{height} on {device.Id}");
Console.WriteLine(string.Join(", ", shares));
