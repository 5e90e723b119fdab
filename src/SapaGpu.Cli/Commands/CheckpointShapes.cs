namespace SapaGpu.Cli.Commands;

/// <summary>What the shapes of a checkpoint's parameters say about the options of a module.</summary>
internal sealed class CheckpointShapes
{
    private const string Query = "q.weight";
    private const string GatedQuery = "qy.weight";
    private const string Key = "k.weight";
    private const string Value = "v.weight";
    private const string Norm = "norm_x.weight";
    private const string Compressor = "channel_compressor.weight";
    private const string Offset = "offset.weight";
    private const string Encoder = "content_encoder.weight";

    private readonly string path;
    private readonly string prefix;
    private readonly string name;
    private readonly ParameterShapes shapes;

    /// <summary>Reads a checkpoint.</summary>
    /// <param name="path">The file.</param>
    /// <param name="prefix">The beginning of the parameters' names.</param>
    /// <param name="name">The name of the module in messages.</param>
    /// <param name="module">The module.</param>
    public CheckpointShapes(string path, string prefix, string name, ExportedModule module)
    {
        (this.path, this.prefix, this.name) = (path, prefix, name);
        // Names that tell the module's dictionary from others in the file.
        string[] expected = module switch
        {
            { Kind: ModuleKind.Carafe } => [Compressor, Encoder],
            { Kind: ModuleKind.Deformable } => [Query, Key, Offset],
            { Similarity: Similarity.InnerProduct } => [Norm],
            { Similarity: Similarity.GatedBilinear } => [GatedQuery, Key],
            _ => [Query, Key],
        };
        shapes = new ParameterShapes(path, prefix, name, expected);
    }

    /// <summary>The parameters.</summary>
    public StateDict State => shapes.State;

    /// <summary>Returns the options of a SAPA upsampler.</summary>
    /// <exception cref="InvalidDataException">A parameter is missing, or has too few dimensions.</exception>
    public SapaOptions Sapa(Similarity similarity, ExportRequest request)
    {
        bool isInner = similarity == Similarity.InnerProduct;
        // The parameter that tells the width of x.
        string projection = !isInner ? Key : State.ContainsKey(Value) ? Value : Norm;
        int x = isInner && projection == Norm ? Size(Norm, 0) : Size(projection, 1);
        var options = new SapaOptions
        {
            Similarity = similarity,
            DecoderChannels = x,
            EncoderChannels = similarity switch
            {
                Similarity.InnerProduct => x,
                Similarity.GatedBilinear => Size(GatedQuery, 1),
                Similarity.Concatenated => EncoderPart(x),
                _ => Size(Query, 1),
            },
            FeatureNorm = request.FeatureNorm ?? (!State.ContainsKey(Norm) ? FeatureNormKind.None
                : projection != Norm && State[projection].Shape.Count > 2 ? FeatureNormKind.Group
                : FeatureNormKind.Layer),
            ValueChannels = State.ContainsKey(Value) ? Size(Value, 0) : null,
            HasBias = State.ContainsKey(projection.Replace("weight", "bias", StringComparison.Ordinal)),
        };
        return options with
        {
            EmbeddingChannels = isInner ? options.EmbeddingChannels : Size(Key, 0),
            Window = request.Window ?? options.Window,
            Border = request.Border ?? options.Border,
            Normalisation = request.Normalisation ?? options.Normalisation,
            NormGroups = request.NormGroups ?? options.NormGroups,
            Epsilon = request.Epsilon ?? options.Epsilon,
        };
    }

    /// <summary>Returns the options of a SAPA-D upsampler; whose offsets they are, and the ratio, follows from groups and points.</summary>
    /// <exception cref="InvalidDataException">A parameter is missing, or has too few dimensions.</exception>
    /// <exception cref="ArgumentException">The parameters do not fit groups and points.</exception>
    public SapaDeformableOptions Deformable(ExportRequest request)
    {
        var options = new SapaDeformableOptions
        {
            EncoderChannels = Size(Query, 1),
            DecoderChannels = Size(Key, 1),
            FeatureNorm = request.FeatureNorm
                ?? (State.ContainsKey(Norm) ? FeatureNormKind.Group : FeatureNormKind.None),
            HasBias = State.ContainsKey(Key.Replace("weight", "bias", StringComparison.Ordinal)),
        };
        options = options with
        {
            Groups = request.Groups ?? options.Groups,
            Points = request.Points ?? options.Points,
            NormGroups = request.NormGroups ?? options.NormGroups,
            Epsilon = request.Epsilon ?? options.Epsilon,
        };
        if (Size(Key, 0) % options.Groups != 0)
        {
            throw new ArgumentException(
                $"{path}: {prefix}{Key} has {Size(Key, 0)} outputs, which are no multiple of {options.Groups} groups; give the " +
                "--groups that the module was trained with.");
        }
        int offsets = Size(Offset, 0);
        long coordinates = 2L * options.Groups * options.Points;
        int scale = (int)Math.Round(Math.Sqrt(offsets / (double)coordinates));
        if (coordinates * scale * scale != offsets)
        {
            throw new ArgumentException(
                $"{path}: {prefix}{Offset} has {offsets} outputs, which are not a square times the {coordinates} coordinates of " +
                $"{options.Groups} groups of {options.Points} points; give the --groups and --points that the module was trained " +
                "with.");
        }
        // Offsets of cells serve any ratio.
        return options with
        {
            EmbeddingChannels = Size(Key, 0) / options.Groups,
            HighResolutionOffsets = scale > 1,
            Scale = scale,
        };
    }

    /// <summary>Returns the options of a CARAFE upsampler; the ratio follows from the window and the groups.</summary>
    /// <exception cref="InvalidDataException">A parameter is missing, or has too few dimensions.</exception>
    /// <exception cref="ArgumentException">No ratio fits window and groups.</exception>
    public CarafeOptions Carafe(ExportRequest request)
    {
        var options = new CarafeOptions
        {
            Channels = Size(Compressor, 1),
            CompressedChannels = Size(Compressor, 0),
            EncoderKernel = shapes.SquareKernel(Encoder),
        };
        int window = request.Window ?? options.Window;
        int groups = request.Groups ?? options.Groups;
        int codes = Size(Encoder, 0);
        int scale = (int)Math.Round(Math.Sqrt(codes / ((double)window * window * groups)));
        if ((long)scale * scale * window * window * groups != codes)
        {
            throw new ArgumentException(
                $"{path}: {prefix}{Encoder} has {codes} outputs, which are not a square times the taps of a window of {window} " +
                $"cells and {groups} groups; give the --window and --groups that the module was trained with.");
        }
        return options with
        {
            Scale = scale,
            Window = window,
            Groups = groups,
            EncoderDilation = request.Dilation ?? options.EncoderDilation,
        };
    }

    // What the query's matrix has beyond the columns for x.
    private int EncoderPart(int decoderChannels)
    {
        int columns = Size(Query, 1);
        return columns > decoderChannels
            ? columns - decoderChannels
            : throw new InvalidDataException(
                $"{path}: {prefix}{Query} has {columns} inputs; {name} needs more than the {decoderChannels} of " +
                $"{prefix}{Key}.");
    }

    private int Size(string parameter, int dimension) => shapes.Of(parameter, dimension);
}
