namespace SapaGpu.Segmentation;

/// <summary>What doubles the resolution of the decoder's features.</summary>
internal enum UpsamplingOperator
{
    /// <summary>The nearest feature.</summary>
    Nearest,

    /// <summary>Interpolation between the four nearest features.</summary>
    Bilinear,

    /// <summary>A convolution to four times the channels, which become places.</summary>
    PixelShuffle,

    /// <summary>Windows weighted by kernels predicted from the decoder.</summary>
    Carafe,

    /// <summary>SAPA with the inner product of the features.</summary>
    SapaInnerProduct,

    /// <summary>SAPA with the inner product of projections.</summary>
    SapaBilinear,

    /// <summary>SAPA with a gate between encoder and decoder.</summary>
    SapaGated,

    /// <summary>SAPA at points that offsets choose.</summary>
    SapaDeformable,
}

/// <summary>The names of the operators for people, files and options.</summary>
internal static class UpsamplingOperators
{
    /// <summary>The operators in the order of tables.</summary>
    public static IReadOnlyList<UpsamplingOperator> All { get; } = Enum.GetValues<UpsamplingOperator>();

    /// <summary>The name on the command line and of folders.</summary>
    public static string Id(this UpsamplingOperator kind) => kind switch
    {
        UpsamplingOperator.Nearest => "nearest",
        UpsamplingOperator.Bilinear => "bilinear",
        UpsamplingOperator.PixelShuffle => "pixel-shuffle",
        UpsamplingOperator.Carafe => "carafe",
        UpsamplingOperator.SapaInnerProduct => "sapa-i",
        UpsamplingOperator.SapaBilinear => "sapa-b",
        UpsamplingOperator.SapaGated => "sapa-g",
        UpsamplingOperator.SapaDeformable => "sapa-d",
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "There is no such operator."),
    };

    /// <summary>The name in tables and pictures.</summary>
    public static string Title(this UpsamplingOperator kind) => kind switch
    {
        UpsamplingOperator.Nearest => "nearest",
        UpsamplingOperator.Bilinear => "bilinear",
        UpsamplingOperator.PixelShuffle => "pixel shuffle",
        _ => kind.Id().ToUpperInvariant(),
    };

    /// <summary>The operator that a name on the command line means.</summary>
    /// <exception cref="ArgumentException">None has this name.</exception>
    public static UpsamplingOperator Parse(string id)
    {
        foreach (var kind in All)
        {
            if (kind.Id() == id)
                return kind;
        }
        throw new ArgumentException($"There is no operator {id}; there are {string.Join(", ", All.Select(Id))}.");
    }
}
