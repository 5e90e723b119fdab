namespace SapaGpu.Native;

/// <summary>Checks of what the caller points to.</summary>
internal static unsafe class NativeStruct
{
    /// <summary>Checks the size at the beginning of a struct of the caller.</summary>
    /// <exception cref="ArgumentException">It is another one.</exception>
    public static void CheckSize<T>(T* value, string name)
        where T : unmanaged
    {
        uint size = *(uint*)value;
        if (size != sizeof(T))
        {
            throw new ArgumentException(
                $"'{name}' has struct_size {size:N0}, expected {sizeof(T)}; set it to sizeof, and compile with the " +
                "header of this library.");
        }
    }

    /// <exception cref="ArgumentException">A pointer that has to be given is null.</exception>
    public static void CheckNotNull(void* pointer, string name)
    {
        if (pointer is null)
            throw new ArgumentException($"'{name}' is null; it has to be given.");
    }

    /// <exception cref="ArgumentException">A member that has no meaning yet is not 0.</exception>
    public static void CheckReserved(int value, string name)
    {
        if (value != 0)
            throw new ArgumentException($"'{name}' has reserved {value}, expected 0.");
    }

    /// <summary>Reads an integer that is 0 or 1.</summary>
    /// <exception cref="ArgumentException">It is neither.</exception>
    public static bool Flag(int value, string name) => value switch
    {
        0 => false,
        1 => true,
        _ => throw new ArgumentException($"'{name}' must be 0 or 1; got {value}."),
    };
}
