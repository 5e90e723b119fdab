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

    /// <summary>Returns what a node of cross-resolution attention computes.</summary>
    /// <exception cref="ArgumentException">An attribute is missing or has a value that is not known.</exception>
    public CrossNode ReadCross()
    {
        // A border, or what is none.
        var rule = Value<BorderRule?>(
            CrossOperators.Rule,
            [
                .. WindowOperators.Borders.Select(pair => (pair.Name, (BorderRule?)pair.Value)),
                (CrossOperators.Whole, null),
                (CrossOperators.OfRatio, null),
            ]);
        bool hasRatio = api.TextAttribute(info, CrossOperators.Rule) == CrossOperators.OfRatio;
        int averages = Number(CrossOperators.AveragesHeads);
        if (averages is not (0 or 1))
        {
            throw new ArgumentException(
                $"The attribute '{CrossOperators.AveragesHeads}' of {operation} is {averages}; it must be 0 or 1.");
        }
        var options = new CrossAttentionOptions
        {
            Heads = Number(CrossOperators.Heads),
            AveragesHeads = averages == 1,
            ScoreScale = Real(CrossOperators.ScoreScale),
            Normalisation = Value(CrossOperators.Normalisation, WindowOperators.Normalisations),
        };
        return new CrossNode(
            rule,
            Number(CrossOperators.KernelHeight),
            Number(CrossOperators.KernelWidth),
            hasRatio ? Real(CrossOperators.Ratio) : null,
            options);
    }

    private float Real(string name) => api.RealAttribute(info, name)
        ?? throw new ArgumentException($"{operation} needs the attribute '{name}', a number.");

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
