using System.Reflection;
using ILGPU;
using NUnit.Framework;

namespace SapaGpu.Tests.Architecture;

/// <summary>The one-way street from tools to modules to operators to launch to kernels.</summary>
[TestFixture]
public sealed class LayerTests
{
    private const BindingFlags Everything = BindingFlags.Instance | BindingFlags.Static | BindingFlags.Public
        | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;

    private static readonly Assembly Library = typeof(ComputeDevice).Assembly;
    private static readonly Assembly Kernels = typeof(SapaGpu.Kernels.Contracts.WindowExtent).Assembly;
    private static readonly Assembly Tool = typeof(SapaGpu.Cli.Commands.InfoCommand).Assembly;

    [Test]
    public void Kernels_depend_on_ILGPU_and_the_framework_only() =>
        Assert.That(
            Kernels.GetReferencedAssemblies().Select(a => a.Name),
            Is.All.Matches<string>(n => n is not null && (n == "ILGPU" || n.StartsWith("System", StringComparison.Ordinal))));

    [Test]
    public void The_tool_does_not_reach_past_the_library() =>
        Assert.That(
            Tool.GetReferencedAssemblies().Select(a => a.Name), Has.None.EqualTo("ILGPU").And.None.EqualTo("SapaGpu.Kernels"));

    [Test]
    public void Public_signatures_name_no_type_of_ILGPU_and_no_kernel()
    {
        var offending = Library.GetExportedTypes()
            .SelectMany(type => type.GetMembers(BindingFlags.Instance | BindingFlags.Static | BindingFlags.Public))
            .Where(member => SignatureTypes(member).Any(IsBackend))
            .Select(member => $"{member.DeclaringType}.{member.Name}");
        Assert.That(offending, Is.Empty);
    }

    [Test]
    public void Modules_touch_neither_launchers_nor_kernels()
    {
        var modules = Library.GetTypes().Where(IsModule);
        Assert.That(modules, Is.Not.Empty);
        var offending = modules.SelectMany(BodyTypes).Where(t => IsLaunch(t) || IsBackend(t));
        Assert.That(offending, Is.Empty);
    }

    [Test]
    public void Launch_checks_no_arguments_of_users_and_knows_no_modules()
    {
        var offending = Library.GetTypes()
            .Where(IsLaunch)
            .SelectMany(BodyTypes)
            .Where(t => IsModule(t) || t.Name == "OperandChecks");
        Assert.That(offending, Is.Empty);
    }

    private static bool IsModule(Type type) =>
        type.BaseType is { IsGenericType: true } parent && parent.GetGenericTypeDefinition() == typeof(UpsamplerModule<>);

    private static bool IsLaunch(Type type) => type.Namespace == "SapaGpu.Launch";

    private static bool IsBackend(Type type) =>
        type.Assembly == typeof(Context).Assembly || type.Assembly == Kernels
        || (type.IsGenericType && type.GetGenericArguments().Any(IsBackend));

    private static IEnumerable<Type> SignatureTypes(MemberInfo member) => member switch
    {
        MethodInfo method => method.GetParameters().Select(p => p.ParameterType).Append(method.ReturnType),
        ConstructorInfo constructor => constructor.GetParameters().Select(p => p.ParameterType),
        PropertyInfo property => [property.PropertyType],
        FieldInfo field => [field.FieldType],
        _ => [],
    };

    // What a type's fields and method bodies name: locals, and the methods and fields that the instructions call.
    private static IEnumerable<Type> BodyTypes(Type type)
    {
        foreach (var field in type.GetFields(Everything))
            yield return field.FieldType;
        foreach (var method in type.GetMethods(Everything).Cast<MethodBase>().Concat(type.GetConstructors(Everything)))
        {
            var body = method.GetMethodBody();
            if (body is null)
                continue;
            foreach (var local in body.LocalVariables)
                yield return local.LocalType;
            foreach (var called in Called(method, body.GetILAsByteArray()!))
                yield return called;
        }
    }

    private static IEnumerable<Type> Called(MethodBase method, byte[] instructions)
    {
        var types = method.DeclaringType!.IsGenericType ? method.DeclaringType.GetGenericArguments() : null;
        var methods = method is MethodInfo { IsGenericMethod: true } ? method.GetGenericArguments() : null;
        for (int i = 0; i + 4 < instructions.Length; i++)
        {
            // call, callvirt, newobj, ldfld, ldsfld: a token follows. Other bytes that look alike resolve to nothing.
            if (instructions[i] is not (0x28 or 0x6F or 0x73 or 0x7B or 0x7E))
                continue;
            MemberInfo? member = null;
            try
            {
                member = method.Module.ResolveMember(BitConverter.ToInt32(instructions, i + 1), types, methods);
            }
            catch (Exception e) when (e is ArgumentException or BadImageFormatException)
            {
                // No token.
            }
            if (member?.DeclaringType is { } declaring)
                yield return declaring;
        }
    }
}
