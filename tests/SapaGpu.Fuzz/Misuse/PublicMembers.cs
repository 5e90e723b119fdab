using System.Reflection;

namespace SapaGpu.Fuzz.Misuse;

/// <summary>Every public member of the libraries that reflection can call, and the span forms of the others.</summary>
internal static class PublicMembers
{
    private const BindingFlags Declared =
        BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    // Members that read memory of the caller through a pointer, and the measurement of a device, which takes long.
    private static readonly string[] Skipped = ["Wrap", "Measure"];

    public static IReadOnlyList<MethodBase> All { get; } = [.. Find()];

    private static IEnumerable<MethodBase> Find()
    {
        var forms = typeof(SpanForms).GetMethods(Declared);
        var types = new[] { typeof(FeatureMap).Assembly, typeof(GuidedUpsampler).Assembly }
            .SelectMany(assembly => assembly.GetExportedTypes())
            .Where(type => !type.IsEnum && !typeof(Delegate).IsAssignableFrom(type));
        foreach (var type in types)
        {
            foreach (var member in type.GetConstructors(Declared).Concat<MethodBase>(type.GetMethods(Declared)))
            {
                if (member.IsAbstract || (member is ConstructorInfo && type.IsAbstract) || member.Name.StartsWith('<') || Skipped.Contains(member.Name))
                    continue;
                if (!TakesSpans(member) && !type.IsByRefLike)
                    yield return member;
                else if (!type.IsByRefLike && !forms.Any(form => form.Name == NameOf(member)))
                    throw new InvalidOperationException($"{type.Name}.{member.Name} has no span form.");
            }
        }
        foreach (var form in forms)
            yield return form;
    }

    private static string NameOf(MethodBase member) =>
        member is ConstructorInfo ? member.DeclaringType!.Name.Split('`')[0] : member.Name;

    private static bool TakesSpans(MethodBase member) =>
        member.GetParameters().Any(parameter => IsSpan(parameter.ParameterType))
        || (member is MethodInfo method && IsSpan(method.ReturnType));

    private static bool IsSpan(Type type) => (type.IsByRef ? type.GetElementType()! : type).IsByRefLike;
}
