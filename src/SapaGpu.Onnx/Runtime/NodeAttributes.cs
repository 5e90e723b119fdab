using SapaGpu.Operators;

namespace SapaGpu.Onnx.Runtime;

/// <summary>
/// Reads the attributes of a node. All have to be there: one of another type cannot be told from one that is missing, and must not
/// be passed over.
/// </summary>
internal readonly struct NodeAttributes(string operation, OrtApi api, nint info)
{
    /// <summary>Returns the options of a window operator.</summary>
    /// <exception cref="ArgumentException">An attribute is missing or has a value that is not known.</exception>
    /// <exception cref="NotSupportedException">The window is not an odd number from 1 to 15.</exception>
    public WindowAttentionOptions ReadWindow()
    {
        var options = new WindowAttentionOptions
        {
            Window = Number(WindowOperators.Window),
            Heads = Number(WindowOperators.Heads),
            Border = Value(WindowOperators.Border, WindowOperators.Borders),
            HeadValue = Value(WindowOperators.HeadValue, WindowOperators.HeadValues),
            Normalisation = operation == WindowOperators.Attention
                ? Value(WindowOperators.Normalisation, WindowOperators.Normalisations)
                : ScoreNormalisation.Softmax,
        };
        OperatorSupport.CheckWindow(options.Window);
        WindowShapes.CheckLeast(options);
        return options;
    }

    /// <summary>Returns the options of deformable attention.</summary>
    /// <exception cref="ArgumentException">An attribute is missing or below 1.</exception>
    public DeformableAttentionOptions ReadDeformable()
    {
        var options = new DeformableAttentionOptions
        {
            Groups = Number(DeformableOperators.Groups),
            Points = Number(DeformableOperators.Points),
        };
        DeformableShapes.CheckLeast(options);
        return options;
    }

    private int Number(string name)
    {
        long value = api.IntAttribute(info, name)
            ?? throw new ArgumentException($"{operation} needs the attribute '{name}', a whole number.");
        return value is >= int.MinValue and <= int.MaxValue
            ? (int)value
            : throw new ArgumentException($"The attribute '{name}' of {operation} is {value}, which is out of range.");
    }

    private T Value<T>(string name, IReadOnlyList<(string Name, T Value)> values)
    {
        string known = string.Join(", ", values.Select(pair => pair.Name));
        string text = api.TextAttribute(info, name)
            ?? throw new ArgumentException($"{operation} needs the attribute '{name}', one of {known}.");
        foreach (var pair in values)
        {
            if (pair.Name == text)
                return pair.Value;
        }
        throw new ArgumentException($"The attribute '{name}' of {operation} is '{text}'; it must be one of {known}.");
    }
}
