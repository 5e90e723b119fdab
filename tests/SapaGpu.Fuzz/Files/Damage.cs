using SapaGpu.Fuzz.Running;

namespace SapaGpu.Fuzz.Files;

/// <summary>Damages files: bits, bytes, runs, cuts, splices, digits of texts, numbers of headers.</summary>
internal static class Damage
{
    private const int HeaderLength = 128;

    private static readonly byte[] Interesting = [0, 1, 0x7f, 0x80, 0xff, .. "(.Rt}{[\""u8];
    private static readonly uint[] Numbers = [0, 1, 0x7f, 0xff, 0xffff, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, 0x1_0000];

    public static byte[] Of(byte[] file, Draw draw)
    {
        switch (draw.Int(0, 15))
        {
            case 0:
                return file[..draw.Int(0, file.Length - 1)];
            case 1:
                return [.. file[draw.Int(0, file.Length - 1)..]];
            case 2:
                return [.. file, .. file[draw.Int(0, file.Length - 1)..]];
            case 3:
                // The beginning of a file and the end of another place of it.
                return [.. file[..draw.Int(0, file.Length - 1)], .. file[draw.Int(0, file.Length - 1)..]];
            default:
                break;
        }
        var damaged = (byte[])file.Clone();
        for (int changes = 1 << draw.Int(0, 3); changes > 0; changes--)
        {
            // Half of the changes hit the header, of which the rest depends.
            int place = draw.Int(0, (draw.OnceIn(2) ? Math.Min(HeaderLength, damaged.Length) : damaged.Length) - 1);
            Change(damaged, file, place, draw);
        }
        return damaged;
    }

    private static void Change(byte[] damaged, byte[] file, int place, Draw draw)
    {
        switch (draw.Int(0, 6))
        {
            case 0:
                damaged[place] ^= (byte)(1 << draw.Int(0, 7));
                break;
            case 1:
                damaged[place] = draw.Of(Interesting);
                break;
            case 2:
                damaged.AsSpan(place, Math.Min(draw.Int(1, 8), damaged.Length - place)).Fill(0xff);
                break;
            case 3:
                int length = Math.Min(draw.Int(1, 32), damaged.Length - place);
                file.AsSpan(draw.Int(0, file.Length - length), length).CopyTo(damaged.AsSpan(place));
                break;
            case 4:
                int digit = damaged.AsSpan(place).IndexOfAnyInRange((byte)'0', (byte)'9');
                if (digit >= 0)
                    damaged[place + digit] = (byte)('0' + draw.Int(0, 9));
                break;
            case 5:
                Span<byte> number = stackalloc byte[sizeof(uint)];
                BitConverter.TryWriteBytes(number, draw.Of(Numbers));
                if (draw.OnceIn(2))
                    number.Reverse();
                number[..Math.Min(number.Length, damaged.Length - place)].CopyTo(damaged.AsSpan(place));
                break;
            default:
                damaged[place] = (byte)draw.Int(0, byte.MaxValue);
                break;
        }
    }
}
