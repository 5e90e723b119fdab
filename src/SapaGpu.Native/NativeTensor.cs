using System.Runtime.InteropServices;

namespace SapaGpu.Native;

/// <summary>sapa_tensor: a feature map in memory of the caller.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct NativeTensor
{
    public uint StructSize;
    public int ElementType;
    public nint Data;
    public fixed long Shape[4];
    public fixed long Strides[4];

    /// <summary>The element type of a tensor that has to be given.</summary>
    /// <exception cref="ArgumentException">It is null, has the wrong size or an unknown element type.</exception>
    public static ElementType TypeOf(NativeTensor* tensor, string name)
    {
        NativeStruct.CheckNotNull(tensor, name);
        NativeStruct.CheckSize(tensor, name);
        return TypeOf(tensor->ElementType, name);
    }

    /// <exception cref="ArgumentException">There is no such element type.</exception>
    public static ElementType TypeOf(int elementType, string name) => Enum.IsDefined((ElementType)elementType)
        ? (ElementType)elementType
        : throw new ArgumentException(
            $"'{name}' has element_type {elementType}; choose SAPA_F32, SAPA_F64, SAPA_F16 or SAPA_BF16.");

    /// <summary>Wraps a tensor whose element type stands on its own, such as a normaliser.</summary>
    /// <exception cref="ArgumentException">
    /// The tensor is null or no map; the message names it and says what is wrong.
    /// </exception>
    public static FeatureMap Wrap(ComputeDevice device, NativeTensor* tensor, string name)
    {
        var type = TypeOf(tensor, name);
        try
        {
            return FeatureMap.Wrap(type, device, tensor->Data, ShapeOf(tensor), StridesOf(tensor));
        }
        catch (ArgumentException e)
        {
            throw Named(e, name);
        }
    }

    /// <summary>Wraps a tensor of a given element type.</summary>
    /// <inheritdoc cref="Wrap(ComputeDevice, NativeTensor*, string)"/>
    public static FeatureMap<T> Wrap<T>(ComputeDevice device, NativeTensor* tensor, string name)
        where T : unmanaged
    {
        var type = TypeOf(tensor, name);
        if (type != ElementTypes.Of<T>())
        {
            throw new ArgumentException(
                $"'{name}' has element type {type.ShortName()}, the first tensor of the call " +
                $"{ElementTypes.Of<T>().ShortName()}; they must be equal.");
        }
        try
        {
            return FeatureMap<T>.Wrap(device, tensor->Data, ShapeOf(tensor), StridesOf(tensor));
        }
        catch (ArgumentException e)
        {
            throw Named(e, name);
        }
    }

    /// <summary>Wraps a tensor that may be null.</summary>
    /// <inheritdoc cref="Wrap(ComputeDevice, NativeTensor*, string)"/>
    public static FeatureMap<T>? WrapOptional<T>(ComputeDevice device, NativeTensor* tensor, string name)
        where T : unmanaged => tensor is null ? null : Wrap<T>(device, tensor, name);

    private static MapShape ShapeOf(NativeTensor* tensor)
    {
        for (int i = 0; i < 4; i++)
        {
            if (tensor->Shape[i] is < 1 or > int.MaxValue)
            {
                throw new ArgumentException(
                    $"shape is [{tensor->Shape[0]}, {tensor->Shape[1]}, {tensor->Shape[2]}, {tensor->Shape[3]}]; every " +
                    $"dimension must be from 1 to {int.MaxValue}.");
            }
        }
        return new((int)tensor->Shape[0], (int)tensor->Shape[1], (int)tensor->Shape[2], (int)tensor->Shape[3]);
    }

    private static MapStrides StridesOf(NativeTensor* tensor) =>
        new(tensor->Strides[0], tensor->Strides[1], tensor->Strides[2], tensor->Strides[3]);

    private static ArgumentException Named(ArgumentException e, string name) =>
        new($"'{name}': {e.Message}", e.ParamName, e);
}
