using System.Reflection;
using SapaGpu.Fuzz.Misuse;
using SapaGpu.Fuzz.Running;

namespace SapaGpu.Fuzz.Campaigns;

/// <summary>
/// Every public member with arguments of which one or two are hostile: what comes out is a result, or an exception that
/// says what is wrong with the arguments.
/// </summary>
internal sealed class MisuseCampaign : Campaign
{
    // The families of exceptions that documentation speaks of.
    private static readonly Type[] Documented =
    [
        typeof(ArgumentException),
        typeof(InvalidOperationException),
        typeof(NotSupportedException),
        typeof(OutOfMemoryException),
        typeof(OperationCanceledException),
        typeof(IOException),
        typeof(InvalidDataException),
        typeof(UnauthorizedAccessException),
        typeof(KeyNotFoundException),
        typeof(DeviceUnavailableException),
    ];

    private readonly TemporaryFolder folder = new();
    private readonly ComputeDevice device = ComputeDevice.Open(DeviceKind.Cpu, 0, new DeviceOptions { Threads = 2 });
    private readonly ComputeDevice other = ComputeDevice.Open(DeviceKind.Cpu, 0, new DeviceOptions { Threads = 1 });

    public override TimeSpan Patience => TimeSpan.FromSeconds(60);

    public override void Run(Case problem)
    {
        var member = problem.Draw.Among(PublicMembers.All);
        switch (problem.Draw.Int(0, 3))
        {
            case 0:
                Call<double>(problem, member);
                break;
            case 1:
                Call<Half>(problem, member);
                break;
            default:
                Call<float>(problem, member);
                break;
        }
    }

    public override void Dispose()
    {
        other.Dispose();
        device.Dispose();
        folder.Dispose();
    }

    private void Call<T>(Case problem, MethodBase open)
        where T : unmanaged
    {
        // Members of a device, and of what it holds, may close it.
        using var own = ComputeDevice.Open(DeviceKind.Cpu, 0, new DeviceOptions { Threads = 1 });
        using var values = new MisuseValues<T>(
            problem.Draw, open.DeclaringType == typeof(ComputeDevice) ? own : device, other, folder.Path);
        var draw = problem.Draw;
        var elementType = draw.OnceIn(16) ? typeof(int) : typeof(T);
        var member = Close(open, elementType);
        problem.Describe($"{member.DeclaringType!.Name}.{member} of {elementType.Name}");
        var parameters = member.GetParameters();
        int first = draw.Int(-1, parameters.Length - 1);
        int second = draw.OnceIn(3) ? draw.Int(0, Math.Max(0, parameters.Length - 1)) : -1;
        bool isInstanceHostile = draw.OnceIn(4);
        var arguments = new object?[parameters.Length];
        try
        {
            for (int i = 0; i < parameters.Length; i++)
            {
                var type = parameters[i].ParameterType;
                if (type.IsByRef)
                    type = type.GetElementType()!;
                string name = parameters[i].Name!;
                arguments[i] = i == first || i == second ? values.Hostile(type, name) : values.Sound(type, name);
                problem.Describe($"  {name} = {Show(arguments[i])}{(i == first || i == second ? " (hostile)" : "")}");
            }
            object? instance = null;
            if (!member.IsStatic && member is not ConstructorInfo)
            {
                instance = isInstanceHostile
                    ? values.Hostile(member.DeclaringType, "this") ?? values.Sound(member.DeclaringType, "this")
                    : values.Sound(member.DeclaringType, "this");
                problem.Describe($"  on {Show(instance)}");
                if (instance is null)
                    return;
            }
            problem.CountCalls(1);
            object? result = member is ConstructorInfo constructor
                ? constructor.Invoke(arguments)
                : member.Invoke(instance, arguments);
            values.Keep(result);
            foreach (object? argument in arguments)
                values.Keep(argument);
        }
        catch (TargetInvocationException e) when (IsDocumented(e.InnerException!))
        {
            // The library refused.
        }
        catch (Exception e) when (IsDocumented(e))
        {
            // It refused to make an argument.
        }
    }

    private static bool IsDocumented(Exception e)
    {
        while (e is TargetInvocationException { InnerException: { } inner })
            e = inner;
        return Documented.Any(type => type.IsInstanceOfType(e));
    }

    private static MethodBase Close(MethodBase member, Type elementType)
    {
        if (member.DeclaringType is { IsGenericTypeDefinition: true } type)
        {
            var closed = type.MakeGenericType(Array.ConvertAll(type.GetGenericArguments(), _ => elementType));
            member = MethodBase.GetMethodFromHandle(member.MethodHandle, closed.TypeHandle)!;
        }
        return member is MethodInfo { IsGenericMethodDefinition: true } method
            ? method.MakeGenericMethod(Array.ConvertAll(method.GetGenericArguments(), _ => elementType))
            : member;
    }

    private static string Show(object? value) => value switch
    {
        null => "null",
        string text => $"\"{(text.Length > 40 ? $"{text[..40]}…" : text)}\"",
        FeatureMap map => $"{map.GetType().Name} {map.Shape}{(map.IsDisposed ? ", disposed" : "")} on {map.Device}",
        Array array => $"{array.GetType().GetElementType()!.Name}[{array.Length}]",
        _ => value.ToString() ?? value.GetType().Name,
    };
}
