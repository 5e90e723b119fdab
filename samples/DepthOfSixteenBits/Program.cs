// A depth map of 16 bits, millimetres with 0 where nothing was measured, to the size of a photo.
//
//     dotnet run -c Release --project samples/DepthOfSixteenBits -- [photo [depth.png [large.png]]]
using NetVips;
using SapaGpu;
using SapaGpu.Guided;

string photoPath = args.ElementAtOrDefault(0) ?? Path.Combine(AppContext.BaseDirectory, "photo.png");
string depthPath = args.ElementAtOrDefault(1) ?? Path.Combine(AppContext.BaseDirectory, "depth.png");
string largePath = args.ElementAtOrDefault(2) ?? "large.png";

// Upright, in sRGB, without opacity: red, green and blue side by side.
using var stored = Image.NewFromFile(photoPath);
using var upright = stored.Autorot();
using var colours = upright.Colourspace(Enums.Interpretation.Srgb);
using var opaque = colours.HasAlpha() ? colours.Flatten() : colours.Copy();
using var photo = opaque.Cast(Enums.BandFormat.Uchar);

using var depth = Image.NewFromFile(depthPath);
if (depth.Format != Enums.BandFormat.Ushort || depth.Bands != 1)
    throw new InvalidDataException($"{depthPath}: one channel of 16 bits is expected, not {depth.Bands} of {depth.Format}.");

ushort[] large = new ushort[photo.Height * photo.Width];
using var device = ComputeDevice.OpenDefault();
GuidedUpsampler.Upsample(
    new PhotoSpan(photo.WriteToMemory<byte>(), photo.Height, photo.Width),
    new MapSpan<ushort>(depth.WriteToMemory<ushort>(), depth.Height, depth.Width),
    large.AsSpan(),
    new GuidedOptions { Kind = MapKind.Depth, Unknown = [0], Device = device });

using var image = Image.NewFromMemory(large, photo.Width, photo.Height, 1, Enums.BandFormat.Ushort);
using var grey = image.Copy(interpretation: Enums.Interpretation.Grey16);
grey.WriteToFile(largePath);

var known = large.Where(millimetres => millimetres > 0).ToList();
Console.WriteLine($"{largePath}: {depth.Width}x{depth.Height} to {photo.Width}x{photo.Height} on {device.Id}");
Console.WriteLine(
    $"{known.Min()} to {known.Max()} mm; {100.0 * (large.Length - known.Count) / large.Length:f1} % of pixels are unknown");
