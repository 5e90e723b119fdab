using SapaGpu.Kernels;
using SapaGpu.Kernels.Simt;

namespace SapaGpu.Tests.CodeGeneration;

/// <summary>A thread-group program with all its type parameters chosen, and what they say about it.</summary>
public sealed class KernelInstantiation
{
    private readonly Type[] arguments;

    public KernelInstantiation(Type kernel, Type parameters)
    {
        Kernel = kernel;
        Parameters = parameters;
        arguments = [.. Flatten(kernel)];
    }

    /// <summary>Gets the closed kernel type.</summary>
    public Type Kernel { get; }

    /// <summary>Gets the kernel type as it was written, with its type parameters open.</summary>
    public Type Definition => Kernel.IsGenericType ? Kernel.GetGenericTypeDefinition() : Kernel;

    /// <summary>Gets the kernel's parameter block.</summary>
    public Type Parameters { get; }

    /// <summary>Gets the name of the kernel without its type parameters.</summary>
    public string Operator => WithoutArity(IsMap ? Kernel.GetGenericArguments()[0] : Kernel);

    /// <summary>Gets whether the kernel calculates in double precision.</summary>
    public bool IsDouble => arguments.Contains(typeof(double));

    /// <summary>
    /// Gets whether the kernel is made for the common case: what it leaves open of window, scale and access is what it
    /// has no version for. A kernel that works on no maps is not.
    /// </summary>
    public bool IsFast =>
        Kernel.IsGenericType && !arguments.Intersect([typeof(AnyWindow), typeof(AnyScale), typeof(AnyRatio), typeof(StridedAccess)]).Any();

    /// <summary>Gets whether the kernel is a map program, which computes one value at a time.</summary>
    public bool IsMap => Definition == typeof(MapKernel<,>);

    /// <summary>Gets whether the kernel reads some maps four channels at a time and others not.</summary>
    public bool IsMixed => arguments.Contains(typeof(VectorAccess)) && arguments.Contains(typeof(StridedAccess));

    /// <summary>Gets the width of the window; 0 where it is not known when the kernel is compiled.</summary>
    public int Window => arguments.Contains(typeof(Window3)) ? 3
        : arguments.Contains(typeof(Window5)) ? 5
        : arguments.Contains(typeof(Window7)) ? 7
        : 0;

    /// <summary>Gets whether tensors have a type of 16 bits.</summary>
    public bool IsNarrow => arguments.Contains(typeof(ushort));

    /// <summary>Gets whether all accesses to the feature maps take four channels.</summary>
    public bool ByVectors => arguments.Contains(typeof(VectorAccess)) && !arguments.Contains(typeof(StridedAccess));

    public override string ToString() => $"{Operator}({string.Join(", ", arguments.Select(WithoutArity))})";

    private static IEnumerable<Type> Flatten(Type type)
    {
        foreach (var argument in type.GetGenericArguments())
        {
            if (argument.Name.EndsWith("Parameters", StringComparison.Ordinal))
                continue;
            yield return argument;
            foreach (var nested in Flatten(argument))
                yield return nested;
        }
    }

    private static string WithoutArity(Type type)
    {
        int mark = type.Name.IndexOf('`', StringComparison.Ordinal);
        return mark < 0 ? type.Name : type.Name[..mark];
    }
}
