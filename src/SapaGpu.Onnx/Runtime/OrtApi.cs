using System.Runtime.InteropServices;
using System.Text;

namespace SapaGpu.Onnx.Runtime;

/// <summary>
/// The functions of ONNX Runtime that custom operators need, by their places in its table, which later versions only add to.
/// </summary>
/// <param name="table">An OrtApi*, of version <see cref="Version"/> or later.</param>
internal readonly unsafe struct OrtApi(nint* table)
{
    /// <summary>The version of the table: that of ONNX Runtime 1.17.</summary>
    public const uint Version = 17;

    private const int CreateStatusIndex = 0;
    private const int GetErrorMessageIndex = 2;
    private const int CreateCustomOpDomainIndex = 26;
    private const int CustomOpDomainAddIndex = 27;
    private const int AddCustomOpDomainIndex = 28;
    private const int GetTensorMutableDataIndex = 51;
    private const int GetDimensionsCountIndex = 61;
    private const int GetDimensionsIndex = 62;
    private const int GetTensorTypeAndShapeIndex = 65;
    private const int MemoryInfoGetIdIndex = 72;
    private const int KernelInfoGetAttributeFloatIndex = 85;
    private const int KernelInfoGetAttributeInt64Index = 86;
    private const int KernelInfoGetAttributeStringIndex = 87;
    private const int KernelContextGetInputIndex = 90;
    private const int KernelContextGetOutputIndex = 91;
    private const int ReleaseStatusIndex = 93;
    private const int ReleaseTensorTypeAndShapeInfoIndex = 99;
    private const int KernelContextGetGpuComputeStreamIndex = 193;
    private const int GetTensorMemoryInfoIndex = 194;

    private const int Rank = 4;

    /// <summary>Gets the address of the table.</summary>
    public nint* Table => table;

    /// <summary>Finds the table of an OrtApiBase*.</summary>
    /// <exception cref="NotSupportedException">The library is older than the table.</exception>
    public static OrtApi Open(nint* apiBase)
    {
        var api = new OrtApi(((delegate* unmanaged[Cdecl]<uint, nint*>)apiBase[0])(Version));
        if (api.Table is not null)
            return api;
        string? version = Marshal.PtrToStringUTF8(((delegate* unmanaged[Cdecl]<nint>)apiBase[1])());
        throw new NotSupportedException($"ONNX Runtime 1.{Version} or later is needed; this is {version}.");
    }

    /// <summary>Makes a status of a failure.</summary>
    public nint CreateStatus(OrtErrorCode code, string message)
    {
        fixed (byte* text = Terminated(message))
            return ((delegate* unmanaged[Cdecl]<OrtErrorCode, byte*, nint>)table[CreateStatusIndex])(code, text);
    }

    /// <summary>Makes a domain, which lives as long as the process.</summary>
    public nint CreateDomain(string name)
    {
        nint domain;
        fixed (byte* text = Terminated(name))
            Check(((delegate* unmanaged[Cdecl]<byte*, nint*, nint>)table[CreateCustomOpDomainIndex])(text, &domain));
        return domain;
    }

    public void AddOperator(nint domain, OrtCustomOperator* customOperator) => Check(
        ((delegate* unmanaged[Cdecl]<nint, OrtCustomOperator*, nint>)table[CustomOpDomainAddIndex])(domain, customOperator));

    public void AddDomain(nint sessionOptions, nint domain) =>
        Check(((delegate* unmanaged[Cdecl]<nint, nint, nint>)table[AddCustomOpDomainIndex])(sessionOptions, domain));

    /// <summary>Returns an attribute of a node; null if there is none of this name and type.</summary>
    public long? IntAttribute(nint info, string name)
    {
        long value;
        fixed (byte* text = Terminated(name))
        {
            var read = (delegate* unmanaged[Cdecl]<nint, byte*, long*, nint>)table[KernelInfoGetAttributeInt64Index];
            return Succeeds(read(info, text, &value), out _) ? value : null;
        }
    }

    /// <summary>Returns an attribute of a node; null if there is none of this name and type.</summary>
    public float? RealAttribute(nint info, string name)
    {
        float value;
        fixed (byte* text = Terminated(name))
        {
            var read = (delegate* unmanaged[Cdecl]<nint, byte*, float*, nint>)table[KernelInfoGetAttributeFloatIndex];
            return Succeeds(read(info, text, &value), out _) ? value : null;
        }
    }

    /// <summary>Returns an attribute of a node; null if there is none of this name and type.</summary>
    public string? TextAttribute(nint info, string name)
    {
        var read = (delegate* unmanaged[Cdecl]<nint, byte*, byte*, nuint*, nint>)table[KernelInfoGetAttributeStringIndex];
        nuint size = 0;
        fixed (byte* text = Terminated(name))
        {
            if (!Succeeds(read(info, text, null, &size), out _) || size == 0)
                return null;
            var bytes = new byte[size];
            fixed (byte* value = bytes)
                Check(read(info, text, value, &size));
            return Encoding.UTF8.GetString(bytes).TrimEnd('\0');
        }
    }

    /// <summary>Returns the address and shape of an operand.</summary>
    /// <exception cref="ArgumentException">It does not have four dimensions.</exception>
    public (nint Data, MapShape Shape) Input(nint context, int index, string name)
    {
        nint value, info;
        Check(((delegate* unmanaged[Cdecl]<nint, nuint, nint*, nint>)table[KernelContextGetInputIndex])(
            context, (nuint)index, &value));
        Check(((delegate* unmanaged[Cdecl]<nint, nint*, nint>)table[GetTensorTypeAndShapeIndex])(value, &info));
        try
        {
            nuint rank;
            Check(((delegate* unmanaged[Cdecl]<nint, nuint*, nint>)table[GetDimensionsCountIndex])(info, &rank));
            if (rank != Rank)
                throw new ArgumentException($"'{name}' must have four dimensions, [B, C, H, W]; it has {rank}.");
            long* sizes = stackalloc long[Rank];
            Check(((delegate* unmanaged[Cdecl]<nint, long*, nuint, nint>)table[GetDimensionsIndex])(info, sizes, Rank));
            return (Data(value), Shape(name, new ReadOnlySpan<long>(sizes, Rank)));
        }
        finally
        {
            ((delegate* unmanaged[Cdecl]<nint, void>)table[ReleaseTensorTypeAndShapeInfoIndex])(info);
        }
    }

    /// <summary>The stream that a node of a GPU is to queue its work on.</summary>
    public nint ComputeStream(nint context)
    {
        nint stream;
        Check(((delegate* unmanaged[Cdecl]<nint, nint*, nint>)table[KernelContextGetGpuComputeStreamIndex])(context, &stream));
        return stream;
    }

    /// <summary>The number of the device that has the first operand.</summary>
    public int DeviceNumber(nint context)
    {
        nint value, memory;
        int number;
        Check(((delegate* unmanaged[Cdecl]<nint, nuint, nint*, nint>)table[KernelContextGetInputIndex])(context, 0, &value));
        Check(((delegate* unmanaged[Cdecl]<nint, nint*, nint>)table[GetTensorMemoryInfoIndex])(value, &memory));
        Check(((delegate* unmanaged[Cdecl]<nint, int*, nint>)table[MemoryInfoGetIdIndex])(memory, &number));
        return number;
    }

    /// <summary>Allocates the output of a node.</summary>
    public nint Output(nint context, MapShape shape)
    {
        long* sizes = stackalloc long[Rank] { shape.Batch, shape.Channels, shape.Height, shape.Width };
        nint value;
        Check(((delegate* unmanaged[Cdecl]<nint, nuint, long*, nuint, nint*, nint>)table[KernelContextGetOutputIndex])(
            context, 0, sizes, Rank, &value));
        return Data(value);
    }

    private static MapShape Shape(string name, ReadOnlySpan<long> sizes)
    {
        foreach (long size in sizes)
        {
            if (size is < 1 or > int.MaxValue)
                throw new ArgumentException($"'{name}' is [{string.Join(", ", sizes.ToArray())}]; no dimension may be empty.");
        }
        return new MapShape((int)sizes[0], (int)sizes[1], (int)sizes[2], (int)sizes[3]);
    }

    private static byte[] Terminated(string text) => Encoding.UTF8.GetBytes(text + '\0');

    private nint Data(nint value)
    {
        nint data;
        Check(((delegate* unmanaged[Cdecl]<nint, nint*, nint>)table[GetTensorMutableDataIndex])(value, &data));
        return data;
    }

    private void Check(nint status)
    {
        if (!Succeeds(status, out string? message))
            throw new InvalidOperationException($"ONNX Runtime: {message}");
    }

    private bool Succeeds(nint status, out string? message)
    {
        message = null;
        if (status == 0)
            return true;
        message = Marshal.PtrToStringUTF8(((delegate* unmanaged[Cdecl]<nint, nint>)table[GetErrorMessageIndex])(status));
        ((delegate* unmanaged[Cdecl]<nint, void>)table[ReleaseStatusIndex])(status);
        return false;
    }
}
