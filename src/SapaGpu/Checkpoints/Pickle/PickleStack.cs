using System.Runtime.InteropServices;

namespace SapaGpu.Checkpoints;

/// <summary>The stack of a pickle. Values below the last mark cannot be taken.</summary>
internal sealed class PickleStack
{
    private readonly List<object?> values = [];
    private readonly Stack<int> marks = [];

    private int Floor => marks.Count == 0 ? 0 : marks.Peek();

    /// <summary>Puts a value on top.</summary>
    public void Push(object? value) => values.Add(value);

    /// <summary>Takes the value on top.</summary>
    public object? Pop()
    {
        object? value = Peek();
        values.RemoveAt(values.Count - 1);
        return value;
    }

    /// <summary>The value on top.</summary>
    public object? Peek() => values.Count > Floor ? values[^1] : throw TooFew();

    /// <summary>The value on top, which must be of some type.</summary>
    public T Peek<T>()
        where T : class =>
        Peek() as T ?? throw new InvalidDataException(
            $"the pickle uses {Describe(Peek())} where {Name<T>()} is expected");

    /// <summary>Takes the value on top, which must be of some type.</summary>
    public T Pop<T>()
        where T : class
    {
        var value = Peek<T>();
        values.RemoveAt(values.Count - 1);
        return value;
    }

    /// <summary>Takes some values from the top, the lowest first.</summary>
    public object?[] Pop(int count)
    {
        if (values.Count - count < Floor)
            throw TooFew();
        var taken = CollectionsMarshal.AsSpan(values)[^count..].ToArray();
        values.RemoveRange(values.Count - count, count);
        return taken;
    }

    /// <summary>Sets a mark.</summary>
    public void Mark() => marks.Push(values.Count);

    /// <summary>Takes everything above the last mark, and the mark.</summary>
    public object?[] PopMarked()
    {
        if (marks.Count == 0)
            throw TooFew();
        var taken = Pop(values.Count - Floor);
        marks.Pop();
        return taken;
    }

    /// <summary>Drops the value on top, or the mark if there is none above it.</summary>
    public void Drop()
    {
        if (values.Count > Floor)
            values.RemoveAt(values.Count - 1);
        else
            PopMarked();
    }

    /// <summary>The one value that is left at the end.</summary>
    public object? Result() => values.Count == 1 && marks.Count == 0
        ? values[0]
        : throw new InvalidDataException("the pickle does not end with one value");

    /// <summary>A description of a value for error messages.</summary>
    public static string Describe(object? value) => value switch
    {
        null => "None",
        PickleDict => "a dictionary",
        List<object?> => "a list",
        object?[] => "a tuple",
        string text => $"the string {ShownText.Quoted(text)}",
        OpaqueValue opaque => opaque.ToString(),
        long or double or bool => FormattableString.Invariant($"the value {value}"),
        _ => "an object",
    };

    private static string Name<T>() =>
        typeof(T) == typeof(PickleDict) ? "a dictionary"
        : typeof(T) == typeof(List<object?>) ? "a list"
        : typeof(T) == typeof(object?[]) ? "a tuple"
        : typeof(T) == typeof(string) ? "a string"
        : typeof(T) == typeof(OpaqueValue) ? "a set"
        : "a value";

    private static InvalidDataException TooFew() => new("the pickle takes more from its stack than the stack has");
}
