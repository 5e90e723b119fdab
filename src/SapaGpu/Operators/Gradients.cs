namespace SapaGpu;

/// <summary>
/// Which gradients a backward computes; an operator leaves out those of operands that it does not have.
/// </summary>
[Flags]
public enum Gradients
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>That of the query.</summary>
    Query = 1,

    /// <summary>That of the key.</summary>
    Key = 1 << 1,

    /// <summary>That of the value.</summary>
    Value = 1 << 2,

    /// <summary>That of the weights.</summary>
    Weights = 1 << 3,

    /// <summary>That of the offsets.</summary>
    Offsets = 1 << 4,

    /// <summary>That of the input.</summary>
    Input = 1 << 5,

    /// <summary>Those of the parameters.</summary>
    Parameters = 1 << 6,

    /// <summary>That of the encoder's part.</summary>
    Encoder = 1 << 7,

    /// <summary>That of the decoder's part.</summary>
    Decoder = 1 << 8,

    /// <summary>That of the gate.</summary>
    Gate = 1 << 9,

    /// <summary>All that the operator has.</summary>
    All = Query | Key | Value | Weights | Offsets | Input | Parameters | Encoder | Decoder | Gate,
}
