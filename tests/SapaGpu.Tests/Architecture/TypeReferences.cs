using System.Buffers.Binary;
using System.Reflection;
using System.Reflection.Emit;

namespace SapaGpu.Tests.Architecture;

/// <summary>
/// Every type that a type names: in its base types, members, attributes, local variables and instructions.
/// </summary>
internal static class TypeReferences
{
    private const BindingFlags Everything = BindingFlags.Instance | BindingFlags.Static | BindingFlags.Public
        | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;

    private static readonly Dictionary<int, OpCode> Codes = typeof(OpCodes).GetFields()
        .Select(field => (OpCode)field.GetValue(null)!)
        .ToDictionary(code => code.Value & 0xFFFF);

    public static IEnumerable<Type> Of(Type type) => Named(type).SelectMany(Parts).Distinct();

    // A generic or an array names its parts as well.
    private static IEnumerable<Type> Parts(Type type)
    {
        while (type.HasElementType)
            type = type.GetElementType()!;
        if (type.IsGenericParameter)
            return type.GetGenericParameterConstraints().Where(constraint => !constraint.ContainsGenericParameters);
        return type.IsGenericType
            ? type.GetGenericArguments().Where(part => part != type).SelectMany(Parts).Prepend(
                type.GetGenericTypeDefinition())
            : [type];
    }

    private static IEnumerable<Type> Named(Type type)
    {
        if (type.BaseType is { } parent)
            yield return parent;
        foreach (var named in type.GetInterfaces().Concat(type.CustomAttributes.Select(data => data.AttributeType)))
            yield return named;
        foreach (var field in type.GetFields(Everything))
            yield return field.FieldType;
        foreach (var method in type.GetMethods(Everything).Cast<MethodBase>().Concat(type.GetConstructors(Everything)))
        {
            if (method is MethodInfo { ReturnType: var result })
                yield return result;
            foreach (var parameter in method.GetParameters())
                yield return parameter.ParameterType;
            if (method.GetMethodBody() is not { } body)
                continue;
            foreach (var local in body.LocalVariables)
                yield return local.LocalType;
            foreach (var named in InInstructions(method, body.GetILAsByteArray()!))
                yield return named;
        }
    }

    private static IEnumerable<Type> InInstructions(MethodBase method, byte[] code)
    {
        var ofType = method.DeclaringType!.IsGenericType ? method.DeclaringType.GetGenericArguments() : null;
        var ofMethod = method is MethodInfo { IsGenericMethod: true } ? method.GetGenericArguments() : null;
        for (int at = 0; at < code.Length;)
        {
            bool isLong = code[at] == 0xFE;
            var instruction = Codes[isLong ? 0xFE00 | code[at + 1] : code[at]];
            at += isLong ? 2 : 1;
            if (instruction.OperandType is OperandType.InlineMethod or OperandType.InlineField or OperandType.InlineType
                or OperandType.InlineTok)
            {
                var member = method.Module.ResolveMember(
                    BinaryPrimitives.ReadInt32LittleEndian(code.AsSpan(at)), ofType, ofMethod)!;
                if (member is Type type)
                    yield return type;
                else if (member.DeclaringType is { } declaring)
                    yield return declaring;
                if (member is MethodInfo { IsGenericMethod: true } generic)
                {
                    foreach (var argument in generic.GetGenericArguments())
                        yield return argument;
                }
            }
            at += instruction.OperandType switch
            {
                OperandType.InlineNone => 0,
                OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar => 1,
                OperandType.InlineVar => 2,
                OperandType.InlineI8 or OperandType.InlineR => 8,
                OperandType.InlineSwitch => 4 + 4 * BinaryPrimitives.ReadInt32LittleEndian(code.AsSpan(at)),
                _ => 4,
            };
        }
    }
}
