using System.Buffers.Binary;
using System.Numerics;

namespace SapaGpu.Checkpoints;

/// <summary>Converts numbers from and to little-endian bytes.</summary>
internal static class CheckpointNumbers
{
    /// <summary>Reads numbers; those that the target cannot represent are rounded to nearest, ties to even.</summary>
    /// <typeparam name="T">float or double.</typeparam>
    public static T[] Decode<T>(ReadOnlySpan<byte> bytes, CheckpointType type)
        where T : unmanaged, INumberBase<T>
    {
        int size = type.ByteSize();
        var values = new T[bytes.Length / size];
        for (int i = 0; i < values.Length; i++)
            values[i] = DecodeElement<T>(bytes.Slice(i * size, size), type);
        return values;
    }

    /// <summary>
    /// Writes numbers, rounded to nearest, ties to even. Integers are clamped to their range; nonzero numbers are true.
    /// </summary>
    public static byte[] Encode(ReadOnlySpan<double> values, CheckpointType type)
    {
        int size = type.ByteSize();
        var bytes = new byte[checked(values.Length * size)];
        for (int i = 0; i < values.Length; i++)
            EncodeElement(values[i], type, bytes.AsSpan(i * size, size));
        return bytes;
    }

    private static T DecodeElement<T>(ReadOnlySpan<byte> element, CheckpointType type)
        where T : INumberBase<T> => type switch
        {
            CheckpointType.Float64 => T.CreateSaturating(BinaryPrimitives.ReadDoubleLittleEndian(element)),
            CheckpointType.Float32 => T.CreateSaturating(BinaryPrimitives.ReadSingleLittleEndian(element)),
            CheckpointType.Float16 => T.CreateSaturating(BinaryPrimitives.ReadHalfLittleEndian(element)),
            CheckpointType.BFloat16 => T.CreateSaturating(
                BitConverter.UInt32BitsToSingle((uint)BinaryPrimitives.ReadUInt16LittleEndian(element) << 16)),
            CheckpointType.Int64 => T.CreateSaturating(BinaryPrimitives.ReadInt64LittleEndian(element)),
            CheckpointType.Int32 => T.CreateSaturating(BinaryPrimitives.ReadInt32LittleEndian(element)),
            CheckpointType.Int16 => T.CreateSaturating(BinaryPrimitives.ReadInt16LittleEndian(element)),
            CheckpointType.Int8 => T.CreateSaturating((sbyte)element[0]),
            CheckpointType.UInt8 => T.CreateSaturating(element[0]),
            _ => element[0] == 0 ? T.Zero : T.One,
        };

    private static void EncodeElement(double value, CheckpointType type, Span<byte> element)
    {
        double whole = Math.Round(value, MidpointRounding.ToEven);
        switch (type)
        {
            case CheckpointType.Float64:
                BinaryPrimitives.WriteDoubleLittleEndian(element, value);
                break;
            case CheckpointType.Float32:
                BinaryPrimitives.WriteSingleLittleEndian(element, (float)value);
                break;
            case CheckpointType.Float16:
                BinaryPrimitives.WriteHalfLittleEndian(element, (Half)value);
                break;
            case CheckpointType.BFloat16:
                BinaryPrimitives.WriteUInt16LittleEndian(element, ((BFloat16)value).ToBits());
                break;
            case CheckpointType.Int64:
                BinaryPrimitives.WriteInt64LittleEndian(element, long.CreateSaturating(whole));
                break;
            case CheckpointType.Int32:
                BinaryPrimitives.WriteInt32LittleEndian(element, int.CreateSaturating(whole));
                break;
            case CheckpointType.Int16:
                BinaryPrimitives.WriteInt16LittleEndian(element, short.CreateSaturating(whole));
                break;
            case CheckpointType.Int8:
                element[0] = (byte)sbyte.CreateSaturating(whole);
                break;
            case CheckpointType.UInt8:
                element[0] = byte.CreateSaturating(whole);
                break;
            default:
                element[0] = value == 0 ? (byte)0 : (byte)1;
                break;
        }
    }
}
