namespace SapaGpu;

/// <summary>
/// Selects the gradients that a backward computes; an operator ignores the flags of operands that it does not have.
/// </summary>
[Flags]
public enum Gradients
{
    /// <summary>No gradient.</summary>
    None = 0,

    /// <summary>The gradient of the query.</summary>
    Query = 1,

    /// <summary>The gradient of the key.</summary>
    Key = 1 << 1,

    /// <summary>The gradient of the value.</summary>
    Value = 1 << 2,

    /// <summary>The gradient of the weights.</summary>
    Weights = 1 << 3,

    /// <summary>The gradient of the offsets.</summary>
    Offsets = 1 << 4,

    /// <summary>The gradient of the input.</summary>
    Input = 1 << 5,

    /// <summary>The gradients of the parameters.</summary>
    Parameters = 1 << 6,

    /// <summary>The gradient of the encoder part of a blended query.</summary>
    Encoder = 1 << 7,

    /// <summary>The gradient of the decoder part of a blended query.</summary>
    Decoder = 1 << 8,

    /// <summary>The gradient of the gate of a blended query.</summary>
    Gate = 1 << 9,

    /// <summary>The gradient of the bias of the keys.</summary>
    KeyBias = 1 << 10,

    /// <summary>The gradient of the gradient of the output, of a second backward.</summary>
    GradOutput = 1 << 11,

    /// <summary>Every gradient that the operator has.</summary>
    All = Query | Key | Value | Weights | Offsets | Input | Parameters | Encoder | Decoder | Gate | KeyBias | GradOutput,
}
