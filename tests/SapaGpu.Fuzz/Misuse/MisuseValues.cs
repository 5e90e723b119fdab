using System.Reflection;
using SapaGpu.Fuzz.Running;

namespace SapaGpu.Fuzz.Misuse;

/// <summary>
/// Arguments by type and name: sound ones that belong together, and hostile ones: null, undefined, negative, too large,
/// disposed, of another shape or device.
/// </summary>
/// <typeparam name="T">The element type of maps.</typeparam>
internal sealed class MisuseValues<T> : IDisposable
    where T : unmanaged
{
    private static readonly Dictionary<string, MapShape> Shapes = new()
    {
        ["query"] = new(1, 4, 4, 6),
        ["key"] = new(1, 4, 2, 3),
        ["value"] = new(1, 4, 2, 3),
        ["output"] = new(1, 4, 4, 6),
        ["gradOutput"] = new(1, 4, 4, 6),
        ["gradQuery"] = new(1, 4, 4, 6),
        ["gradKey"] = new(1, 4, 2, 3),
        ["gradValue"] = new(1, 4, 2, 3),
        ["scores"] = new(1, 9, 4, 6),
        ["weights"] = new(1, 9, 4, 6),
        ["gradScores"] = new(1, 9, 4, 6),
        ["gradWeights"] = new(1, 9, 4, 6),
        ["offsets"] = new(1, 18, 4, 6),
        ["gradOffsets"] = new(1, 18, 4, 6),
        ["encoder"] = new(1, 4, 4, 6),
        ["decoder"] = new(1, 4, 2, 3),
        ["gate"] = new(1, 1, 2, 3),
        ["input"] = new(1, 4, 2, 3),
        ["features"] = new(1, 4, 2, 3),
        ["guide"] = new(1, 3, 4, 6),
        ["map"] = new(1, 4, 2, 3),
        ["weight"] = new(1, 4, 1, 1),
        ["bias"] = new(1, 4, 1, 1),
        ["matrix"] = new(4, 4, 1, 1),
    };

    private static readonly MapShape[] OtherShapes =
        [new(1, 1, 1, 1), new(2, 4, 2, 3), new(1, 3, 2, 3), new(1, 18, 4, 6), new(1, 8, 40, 2)];

    private readonly Draw draw;
    private readonly ComputeDevice device;
    private readonly ComputeDevice other;
    private readonly string folder;
    private readonly List<IDisposable> owned = [];

    public MisuseValues(Draw draw, ComputeDevice device, ComputeDevice other, string folder) =>
        (this.draw, this.device, this.other, this.folder) = (draw, device, other, folder);

    /// <summary>A sound argument, or an instance whose member is called.</summary>
    public object? Sound(Type type, string name) => Make(type, name, isHostile: false);

    /// <summary>A hostile argument; null where a reference may be null.</summary>
    public object? Hostile(Type type, string name)
    {
        bool canBeNull = !type.IsValueType || Nullable.GetUnderlyingType(type) is not null;
        return canBeNull && draw.OnceIn(3) ? null : Make(type, name, isHostile: true);
    }

    public TOwned Keep<TOwned>(TOwned one)
    {
        if (one is IDisposable disposable)
            owned.Add(disposable);
        return one;
    }

    public void Dispose()
    {
        foreach (var one in owned)
            one.Dispose();
    }

    private object? Make(Type type, string name, bool isHostile)
    {
        if (Nullable.GetUnderlyingType(type) is { } inner)
            return draw.OnceIn(2) ? null : Make(inner, name, isHostile);
        if (type.IsEnum)
            return MakeEnum(type, isHostile);
        if (type == typeof(ComputeDevice))
            return MakeDevice(isHostile);
        if (type == typeof(FeatureMap) || type == typeof(FeatureMap<T>))
            return MakeMap(name, isHostile, isParameter: type == typeof(FeatureMap));
        if (type == typeof(MapShape))
            return isHostile ? draw.Of(default, OtherShapes[draw.Int(0, OtherShapes.Length - 1)]) : Shapes.GetValueOrDefault(name, Shapes["key"]);
        if (type.IsArray)
            return MakeArray(type.GetElementType()!, name, isHostile);
        if (type.IsGenericType && type.GetGenericTypeDefinition() is var generic
            && (generic == typeof(IReadOnlyList<>) || generic == typeof(IEnumerable<>) || generic == typeof(IList<>)))
            return MakeArray(type.GetGenericArguments()[0], name, isHostile);
        return Type.GetTypeCode(type) switch
        {
            TypeCode.Boolean => draw.OnceIn(2),
            TypeCode.Int32 => isHostile ? draw.Of(0, -1, 2, 7, 16, 17, int.MinValue, int.MaxValue, int.MaxValue - 1) : Number(name),
            TypeCode.Int64 => isHostile ? draw.Of(0, -1, 1, long.MinValue, long.MaxValue) : 1L << 20,
            TypeCode.UInt16 => (ushort)draw.Int(0, ushort.MaxValue),
            TypeCode.Single => (float)Real(isHostile),
            TypeCode.Double => Real(isHostile),
            TypeCode.String => MakeText(name, isHostile),
            _ => MakeOther(type, name, isHostile),
        };
    }

    private static int Number(string name) => name switch
    {
        "height" => 4,
        "width" => 6,
        "guideHeight" => 8,
        "guideWidth" => 12,
        "row" or "column" or "first" or "ordinal" or "groups" or "Threads" or "VectorBits" => 0,
        "Window" or "window" or "EncoderKernel" => 3,
        "Groups" => 1,
        "Points" => 9,
        "Heads" => 1,
        "scale" or "Scale" => 2,
        "NormGroups" => 2,
        _ when name.Contains("hannels", StringComparison.Ordinal) => 4,
        _ => 1,
    };

    private double Real(bool isHostile) => isHostile
        ? draw.Of(0, -1, double.NaN, double.PositiveInfinity, double.NegativeInfinity, 1e308, double.Epsilon)
        : 1e-5;

    private object MakeEnum(Type type, bool isHostile) => isHostile
        ? Enum.ToObject(type, draw.Of(-1, 77, int.MaxValue, int.MinValue))
        : draw.Of(Enum.GetValues(type).Cast<object>().ToArray());

    private string MakeText(string name, bool isHostile)
    {
        string sound = name is "path" ? Path.Combine(folder, "state.safetensors") : name is "id" ? "cpu" : "q.weight";
        return isHostile
            ? draw.Of("", " ", "cpu:7", "cuda:-1", "nothing:0", "\0", new string('x', 5000), Path.Combine(folder, "missing", "x"), folder)
            : sound;
    }

    private ComputeDevice MakeDevice(bool isHostile)
    {
        if (!isHostile)
            return device;
        if (draw.OnceIn(2))
            return other;
        var closed = ComputeDevice.Open(DeviceKind.Cpu);
        closed.Dispose();
        return closed;
    }

    private FeatureMap MakeMap(string name, bool isHostile, bool isParameter)
    {
        var shape = Shapes.GetValueOrDefault(name, Shapes["key"]);
        if (isHostile && draw.OnceIn(2))
            shape = draw.Of(OtherShapes);
        var on = isHostile && draw.OnceIn(4) ? other : device;
        FeatureMap map = isParameter
            ? FeatureMap.Create(on, shape, MemoryFormat.Contiguous, isHostile ? draw.Enum<ElementType>() : ElementTypes.Of<T>().Accumulator())
            : FeatureMap<T>.Create(on, shape, draw.Enum<MemoryFormat>());
        map.Clear();
        if (isHostile && draw.OnceIn(3))
            map.Dispose();
        return Keep(map);
    }

    private Array MakeArray(Type element, string name, bool isHostile)
    {
        int length = isHostile
            ? draw.Int(0, 3)
            : name switch
            {
                "guide" => 8 * 12 * 3,
                "result" => 8 * 12 * 4,
                "dimensions" => 4,
                _ => 24,
            };
        var array = Array.CreateInstance(element, length);
        for (int i = 0; i < length; i++)
        {
            object? value = isHostile && draw.OnceIn(2) ? Hostile(element, name) : Make(element, name, false);
            if (value is not null)
                array.SetValue(value, i);
        }
        return array;
    }

    private object? MakeOther(Type type, string name, bool isHostile)
    {
        if (type == typeof(Stream))
        {
            var stream = new MemoryStream(isHostile ? [.. "PK\u0003\u0004 no archive"u8] : new byte[64]);
            if (isHostile && draw.OnceIn(2))
                stream.Dispose();
            return stream;
        }
        if (type == typeof(Action))
            return (Action)(() => { });
        if (type == typeof(CancellationToken))
            return new CancellationToken(canceled: isHostile && draw.OnceIn(2));
        if (type == typeof(IProgress<double>))
            return new Progress<double>();
        if (type == typeof(IDictionary<string, string>))
            return new Dictionary<string, string>();
        if (type == typeof(Exception))
            return new InvalidOperationException(name);
        if (type == typeof(object))
            return draw.Of<object>("text", 1);
        if (type == typeof(Half) || type == typeof(BFloat16) || type == typeof(nint))
            return Activator.CreateInstance(type);
        if (type == typeof(StateEntry))
            return StateEntry.FromDoubles(name, [2, 2], [1, 2, 3, 4], CheckpointType.Float32);
        if (type == typeof(ProjectionWeights))
            return new ProjectionWeights((FeatureMap)Make(typeof(FeatureMap), "matrix", isHostile)!, null);
        if (type.IsValueType && isHostile && draw.OnceIn(3))
            return Activator.CreateInstance(type);
        return type == typeof(UpsamplerModule<T>)
            ? Construct(draw.OnceIn(2) ? typeof(SapaUpsampler<T>) : typeof(CarafeUpsampler<T>), isHostile)
            : Construct(type, isHostile);
    }

    // Contexts come from a forward, unless they are to be hostile; everything else from its longest constructor.
    private object? Construct(Type type, bool isHostile)
    {
        var made = isHostile && draw.OnceIn(2) ? null : FromForward(type);
        if (made is null)
        {
            var constructor = type.GetConstructors().Where(one => !TakesSpans(one)).MaxBy(one => one.GetParameters().Length);
            if (constructor is null)
                return type.IsValueType ? Activator.CreateInstance(type) : null;
            var arguments = constructor.GetParameters().Select(parameter => parameter.ParameterType == typeof(int) && parameter.Name == "seed"
                ? 0
                : Make(parameter.ParameterType, parameter.Name!, isHostile && draw.OnceIn(3)));
            made = constructor.Invoke([.. arguments]);
            if (type.Name.EndsWith("Options", StringComparison.Ordinal))
                SetProperties(made, isHostile);
        }
        if (made is IDisposable disposable && isHostile && draw.OnceIn(2))
            disposable.Dispose();
        return Keep(made);
    }

    private void SetProperties(object options, bool isHostile)
    {
        var properties = options.GetType().GetProperties().Where(property => property.CanWrite).ToArray();
        var spoilt = isHostile ? draw.Of(properties) : null;
        foreach (var property in properties)
        {
            bool isRequired = property.PropertyType == typeof(int) && property.Name is not ("Threads" or "VectorBits" or "NormGroups");
            if (property == spoilt)
                property.SetValue(options, Hostile(property.PropertyType, property.Name));
            else if (isRequired)
                property.SetValue(options, Number(property.Name));
        }
    }

    private object? FromForward(Type type)
    {
        if (type == typeof(WindowAttentionContext<T>))
        {
            using var output = WindowAttention.Forward(
                Map("query"), Map("key"), Map("value"), new WindowAttentionOptions { Window = 3 }, out var context);
            return context;
        }
        if (type == typeof(SapaContext<T>))
        {
            using var output = Keep((SapaUpsampler<T>)Construct(typeof(SapaUpsampler<T>), false)!)
                .Forward(Map("encoder"), Map("decoder"), out var context);
            return context;
        }
        return null;

        FeatureMap<T> Map(string name) => (FeatureMap<T>)MakeMap(name, false, false);
    }

    private static bool TakesSpans(MethodBase member) =>
        member.GetParameters().Any(parameter => parameter.ParameterType.IsByRefLike);
}
